-- Enrolled faces. One row is one vector of one face: a face that two embedders described has two rows, written in one
-- transaction. The picture itself is not kept.

CREATE TABLE face.vectors (
    -- Given before the transaction commits, so not in the order of commits: readers that follow use xid as well.
    seq bigserial PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    model text NOT NULL CHECK (model <> ''),
    version text NOT NULL CHECK (version <> ''),
    -- float32, little-endian, unit length.
    vector bytea NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
    quality real NOT NULL CHECK (quality BETWEEN 0 AND 1),
    -- Pixels of the picture as shown.
    -- x, y, width, height in pixels of the picture as shown.
    box real[] NOT NULL CHECK (array_length(box, 1) = 4 AND box[3] > 0 AND box[4] > 0),
    -- SHA-256 of the picture's bytes, lower-case hexadecimal.
    image_hash text NOT NULL CHECK (image_hash ~ '^[0-9a-f]{64}$'),
    -- Path or URL the picture can be read from again; '' when unknown.
    source text NOT NULL DEFAULT '',
    image_date date,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- A picture shows a performer's face once; sending it again changes nothing.
    UNIQUE (performer_id, image_hash, model, version)
);

-- What a process loads at its start, in portions.
CREATE INDEX idx_vectors_model ON face.vectors (model, version, seq);
