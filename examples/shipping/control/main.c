/* Holds a pendulum upright: 1000 times a second a plan of torques is made better by gradient steps, and its first torque
   is applied.  Nothing is allocated, and a tick takes the same work whatever happens.

       python export.py build && cc -O2 -Ibuild main.c build/plan_cost.o -lm -o control && ./control          2000 ticks
       ./control --clock                                                               the same by the clock, 2 seconds */

#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "plan_cost.h"

#define HORIZON 12
#define STEPS 4       /* downhill in each tick */
#define PERIOD 1000000 /* nanoseconds of a tick */

static double plan[HORIZON], gradient[HORIZON];
static unsigned char memory[plan_cost_WORKSPACE_BYTES + 64];

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int32_t tick(double angle, double speed, double *torque)
{
    unsigned char *const workspace = memory + (64 - (uintptr_t)memory % 64) % 64;
    double cost;
    for (int step = 0; step < STEPS; ++step) {
        const int32_t code =
            plan_cost_call(angle, speed, 0.0, plan, &cost, gradient, workspace, plan_cost_WORKSPACE_BYTES);
        if (code != plan_cost_OK) return code;
        for (int k = 0; k < HORIZON; ++k) plan[k] -= 4.0 * gradient[k];
    }
    *torque = fmax(-30.0, fmin(30.0, plan[0]));
    return plan_cost_OK;
}

int main(int count, char **words)
{
    const int by_the_clock = count > 1 && words[1][0] == '-';
    double angle = 0.4, speed = 0.0;
    int64_t longest = 0, next = now();
    for (int k = 0; k < 2000; ++k) {
        double torque;
        const int64_t begin = now();
        const int32_t code = tick(angle, speed, &torque);
        const int64_t took = now() - begin;
        if (code != plan_cost_OK) {
            fprintf(stderr, "tick %d: %s\n", k, plan_cost_strerror(code));
            return 1;
        }
        longest = took > longest ? took : longest;
        speed += 0.001 * (9.81 * sin(angle) - 0.3 * speed + torque); /* the pendulum */
        angle += 0.001 * speed;
        if (k % 500 == 0) printf("%4d ms  angle %7.4f  torque %8.4f\n", k, angle, torque);
        if (by_the_clock) {
            next += PERIOD;
            const struct timespec until = {next / 1000000000, next % 1000000000};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        }
    }
    printf("angle %.4f after two seconds; the longest tick took %.1f us of 1000\n", angle, (double)longest * 1e-3);
    return fabs(angle) > 0.05;
}
