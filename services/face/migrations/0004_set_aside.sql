-- Faces that are not searched, for whoever wants to see them: they are few among many.
CREATE INDEX idx_vectors_set_aside ON face.vectors (performer_id, image_hash, seq) WHERE state <> 'active';

COMMENT ON COLUMN face.vectors.state_reason IS
    'Why, in words; of an active face empty unless there is a doubt, such as two groups of faces of the same size.';
