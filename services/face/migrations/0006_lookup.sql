-- What is enrolled of performers is counted from this index alone: the rows are as wide as their vectors.
CREATE UNIQUE INDEX idx_vectors_face ON face.vectors (performer_id, image_hash, model, version)
    INCLUDE (state, quality);
ALTER TABLE face.vectors DROP CONSTRAINT vectors_performer_id_image_hash_model_version_key;
