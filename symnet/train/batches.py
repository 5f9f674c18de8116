"""Mini-batches: which samples, in which order, in which memory.

In: arrays, the axis along which each holds its samples, a batch size and a seed.  Out: the sizes of the batches of an
epoch, buffers for each size, and for every epoch the order of the samples, by which native code fills the buffers.

There is one set of buffers for each size that occurs (the last batch may be smaller), so that a native step can be
bound to each of them once.  A full batch uses the arrays themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symnet.arrays import Array


class Batches:
    """The batches of one training set.

    Args:
        data: name → contiguous array.
        axes: name → the axis of its samples, for the arrays that have one.
        count: the number of samples.
        batch_size: samples in a batch; None: all.
        rng: where the order comes from.
        shuffle: a new order for every epoch; False: the order of the data.
        drop_last: leave out a last batch that is not full.

    Attributes:
        sizes: the batch sizes of one epoch, in order.
        buffers: size → name → the array that holds the current batch of that size.
    """

    def __init__(
        self,
        data: Mapping[str, Array],
        axes: Mapping[str, int],
        count: int,
        batch_size: int | None,
        rng: np.random.Generator,
        shuffle: bool = True,
        drop_last: bool = False,
    ) -> None:
        self.data, self.axes, self.count, self.rng, self.shuffle = dict(data), dict(axes), count, rng, shuffle
        self.whole = batch_size is None or batch_size >= count
        size = count if batch_size is None or self.whole else batch_size
        full, rest = (1, 0) if self.whole else divmod(count, size)
        self.sizes = (*[size] * full, *([rest] if rest and not drop_last else []))
        self.buffers = {n: self.data if self.whole else self._allocate(n) for n in dict.fromkeys(self.sizes)}

    def _allocate(self, size: int) -> dict[str, Array]:
        """Memory for a batch; arrays without samples are shared."""
        buffers = dict(self.data)
        for name, axis in self.axes.items():
            array = self.data[name]
            buffers[name] = np.zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]), array.dtype)
        return buffers

    def order(self) -> Array:
        """The samples of the next epoch, in order; of a batch that is the data themselves nobody asks."""
        count = 0 if self.whole else self.count
        return (self.rng.permutation(count) if self.shuffle else np.arange(count)).astype(np.int64, copy=False)


def split(
    data: Mapping[str, Array], axes: Mapping[str, int], count: int, held_out: int, rng: np.random.Generator
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Two disjoint parts of the samples, chosen at random: (training, held out), each in the order of the data."""
    order = rng.permutation(count)
    parts = np.sort(order[held_out:]), np.sort(order[:held_out])
    training, validation = (
        {name: np.take(array, chosen, axis=axes[name]) if name in axes else array for name, array in data.items()}
        for chosen in parts
    )
    return training, validation
