"""Synthetic vectors that cluster as faces do: a low-dimensional latent through a fixed random network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["FaceLike", "CLUSTERED", "HARD", "PORTION"]

PORTION = 20_000
"""Vectors that are drawn together; any portion can be drawn without those before it."""

_HIDDEN = 128
_MOST_VECTORS = 8


@dataclass(frozen=True, slots=True)
class FaceLike:
    """A set of identities with several vectors each, the first n of which are a set of their own.

    latent: dimension of what the vectors really depend on; noise: spread within an identity, where identities
    are spread by 1.
    """

    name: str
    latent: int
    noise: float
    dimension: int = 512
    per_identity: float = 3.4
    seed: int = 7

    def owners(self, count: int) -> NDArray[np.int64]:
        """Identity of each of the first `count` vectors, from 0; those of one identity follow each other."""
        rng = np.random.default_rng([self.seed, 1])
        identities = int(count / self.per_identity * 1.1) + 100
        share = (self.per_identity - 1) / (_MOST_VECTORS - 1)
        sizes = 1 + rng.binomial(_MOST_VECTORS - 1, share, identities)
        return np.repeat(np.arange(identities), sizes)[:count]

    def portion(self, number: int, owners: NDArray[np.int64]) -> NDArray[np.float32]:
        """Unit vectors of portion `number`, whose owners are given: (len(owners), dimension)."""
        rng = np.random.default_rng([self.seed, 2, number])
        identities, inverse = np.unique(owners, return_inverse=True)
        latent = self._centres(identities)[inverse] + self.noise * rng.standard_normal(
            (len(owners), self.latent)
        )
        return self._through_network(latent)

    def vectors(self, count: int) -> NDArray[np.float32]:
        """The first `count` unit vectors, (count, dimension)."""
        owners = self.owners(count)
        parts = [
            self.portion(number, owners[start : start + PORTION])
            for number, start in enumerate(range(0, count, PORTION))
        ]
        return np.concatenate(parts)

    def probes(self, identities: NDArray[np.int64]) -> NDArray[np.float32]:
        """One more unit vector of each identity, (n, dimension), that is in no portion."""
        rng = np.random.default_rng([self.seed, 3])
        noise = self.noise * rng.standard_normal((len(identities), self.latent))
        return self._through_network(self._centres(identities) + noise)

    def _centres(self, identities: NDArray[np.int64]) -> NDArray[np.float64]:
        """Of each identity, whichever others are asked for: drawn in blocks."""
        block = 4096
        found = np.empty((len(identities), self.latent))
        for number in np.unique(identities // block):
            rng = np.random.default_rng([self.seed, 4, int(number)])
            centres = rng.standard_normal((block, self.latent))
            chosen = identities // block == number
            found[chosen] = centres[identities[chosen] % block]
        return found

    def _through_network(self, latent: NDArray[np.float64]) -> NDArray[np.float32]:
        rng = np.random.default_rng([self.seed, 5])
        first = rng.standard_normal((self.latent, _HIDDEN)) * (1.5 / np.sqrt(self.latent))
        second = rng.standard_normal((_HIDDEN, self.dimension)) * (2 / np.sqrt(_HIDDEN))
        vectors = np.tanh(np.tanh(latent @ first) @ second)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors, np.float32)


CLUSTERED = FaceLike("clustered", latent=24, noise=0.4)
"""Within an identity the mean cosine is about .78, as the built-in face embedder has it."""
HARD = FaceLike("hard", latent=96, noise=0.7)
"""Less clustered: within an identity about .57, and every direction is used."""
