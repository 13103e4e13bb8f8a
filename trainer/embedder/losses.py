"""What the embedder is told about a batch: views of one design belong together, others do not."""

from __future__ import annotations

import torch

__all__ = ["contrastive_loss"]


def contrastive_loss(vectors: torch.Tensor, designs: torch.Tensor, *, temperature: float) -> torch.Tensor:
    """Supervised contrastive loss of unit vectors (n, d) whose designs are numbers (n,).

    Source: Khosla et al., "Supervised Contrastive Learning" (2020), equation 2. Every design needs two views.
    """
    logits = vectors @ vectors.T / temperature
    itself = torch.eye(len(vectors), dtype=torch.bool)
    same = (designs[:, None] == designs[None]) & ~itself
    logits = logits - logits.max(dim=1, keepdim=True).values.detach()
    others = logits.masked_fill(itself, float("-inf"))
    likelihood = logits - others.logsumexp(dim=1, keepdim=True)
    return -((likelihood * same).sum(dim=1) / same.sum(dim=1)).mean()
