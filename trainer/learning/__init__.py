"""What the trainings share: the truth of pictures, what cameras do to them, networks, checkpoints."""
