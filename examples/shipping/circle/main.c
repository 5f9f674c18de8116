/* Learns which points lie in a circle, with weights, moments and data in arrays of its own, and no allocation.

       python export.py build && cc -O2 -Ibuild main.c build/learn.o build/predict.o -o circle && ./circle */

#include <stdio.h>
#include <string.h>

#include "learn.h"
#include "predict.h"

#define ROWS 256
#define HIDDEN 16

static float X[ROWS][2], y[ROWS], inside[ROWS];

static struct { /* what is learned, and what Adam remembers: all zeros at first, but for the weights */
    float W1[2][HIDDEN], b1[HIDDEN], W2[HIDDEN], b2;
    float W1_mean[2][HIDDEN], W1_square[2][HIDDEN], b1_mean[HIDDEN], b1_square[HIDDEN];
    float W2_mean[HIDDEN], W2_square[HIDDEN], b2_mean, b2_square, mean_share, square_share;
} s;

static unsigned char memory[1 << 17]; /* both functions' workspace, which begins at a multiple of 64 */

static float uniform(void) /* in -1 .. 1 */
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

static void draw(void)
{
    for (int i = 0; i < ROWS; ++i) {
        X[i][0] = uniform();
        X[i][1] = uniform();
        y[i] = X[i][0] * X[i][0] + X[i][1] * X[i][1] < 0.5f ? 1.0f : 0.0f;
    }
}

int main(void)
{
    unsigned char *const workspace = memory + (64 - (uintptr_t)memory % 64) % 64;
    const size_t bytes = sizeof memory - 64;
    float loss = 0;
    for (int k = 0; k < HIDDEN; ++k) {
        s.W1[0][k] = 2 * uniform();
        s.W1[1][k] = 2 * uniform();
        s.b1[k] = uniform();
        s.W2[k] = uniform();
    }
    for (int step = 0; step <= 1500; ++step) {
        draw();
        /* Every array that is learned is input and output: the header says which may be both. */
        const int32_t code = learn_call(
            X[0], y, s.W1[0], s.b1, s.W2, s.b2, s.W1_mean[0], s.W1_square[0], s.b1_mean, s.b1_square,
            s.W2_mean, s.W2_square, s.b2_mean, s.b2_square, s.mean_share, s.square_share, 0.02f,
            &loss, s.W1[0], s.W1_mean[0], s.W1_square[0], s.b1, s.b1_mean, s.b1_square,
            s.W2, s.W2_mean, s.W2_square, &s.b2, &s.b2_mean, &s.b2_square, &s.mean_share, &s.square_share,
            ROWS, workspace, bytes);
        if (code != learn_OK) {
            fprintf(stderr, "learn: %s\n", learn_strerror(code));
            return 1;
        }
        if (step % 500 == 0) printf("step %4d  loss %.4f\n", step, (double)loss);
    }
    draw();
    if (predict_call(X[0], s.W1[0], s.b1, s.W2, s.b2, inside, ROWS, workspace, bytes) != predict_OK) return 1;
    int right = 0;
    for (int i = 0; i < ROWS; ++i) right += (inside[i] > 0.5f) == (y[i] > 0.5f);
    printf("right on %d of %d new points\n", right, ROWS);
    return right < ROWS * 95 / 100;
}
