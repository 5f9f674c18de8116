"""Writes the cost of a plan and its gradient, which `main.c` goes down at every tick:  python export.py build"""

import sys
from pathlib import Path

import symnet as sn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build")
HORIZON, DT = 12, 0.02
angle, speed, target = sn.scalar("angle"), sn.scalar("speed"), sn.scalar("target")
plan = sn.tensor("plan", HORIZON)  # torques, one for each step ahead

a, v, cost = angle, speed, 0.0
for step in range(HORIZON):
    v = v + DT * (9.81 * sn.sin(a) - 0.3 * v + plan[step])
    a = a + DT * v
    cost = cost + 20 * (a - target) ** 2 + 0.3 * v**2 + 0.001 * plan[step] ** 2

f = sn.value_and_grad(cost, plan, inputs=[angle, speed, target], dtype="float64", name="plan_cost")
for path in f.export(folder / "plan_cost", files=["o", "h", "c"], overwrite=True).paths:
    print(path)
