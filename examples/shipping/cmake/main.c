/* Learns XOR by plain gradient descent on an exported network. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mlp.h"

static void move(float *weights, const float *gradient, int count)
{
    for (int k = 0; k < count; ++k) weights[k] -= 0.5f * gradient[k];
}

int main(void)
{
    const float X[] = {0, 0, 0, 1, 1, 0, 1, 1}, D[] = {1, 0, 0, 1, 0, 1, 1, 0};
    float W1[16], b1[8] = {0}, W2[16], b2[2] = {0}, loss = 0, dW1[16], db1[8], dW2[16], db2[2];
    uint32_t state = 7;
    for (int k = 0; k < 16; ++k) {
        state = state * 1664525u + 1013904223u;
        W1[k] = (float)(state >> 8) / 8388608.0f - 1.0f;
        state = state * 1664525u + 1013904223u;
        W2[k] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    const int64_t rows = 4;
    const size_t bytes = (mlp_workspace_bytes(&rows) + 63) / 64 * 64;
    void *workspace = aligned_alloc(64, bytes);
    for (int step = 0; step <= 2000; ++step) {
        const struct mlp_args arguments = {
            .X = X, .D = D, .W1 = W1, .b1 = b1, .W2 = W2, .b2 = b2,
            .value = &loss, .grad_W1 = dW1, .grad_b1 = db1, .grad_W2 = dW2, .grad_b2 = db2,
            .m = rows, .workspace = workspace, .workspace_bytes = bytes};
        const int32_t code = mlp_call_args(&arguments);
        if (code != mlp_OK) {
            fprintf(stderr, "%s\n", mlp_strerror(code));
            return 1;
        }
        move(W1, dW1, 16);
        move(b1, db1, 8);
        move(W2, dW2, 16);
        move(b2, db2, 2);
        if (step % 500 == 0) printf("step %4d  loss %.6f\n", step, (double)loss);
    }
    free(workspace);
    return loss > 0.01f;
}
