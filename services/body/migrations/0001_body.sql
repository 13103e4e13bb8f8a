-- Measurements of performers' bodies. A row is one view of one performer in one image.
CREATE TABLE body.measurements (
    seq          bigserial PRIMARY KEY,
    -- The transaction that wrote the row: a reader that follows by seq alone would miss late commits.
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    model        text NOT NULL,
    version      text NOT NULL,
    -- Little-endian float32; services/body/template.py says what each value means.
    vector       bytea NOT NULL CHECK (octet_length(vector) = 48),
    -- View quality, 0..1.
    quality      real NOT NULL CHECK (quality >= 0 AND quality <= 1),
    -- x, y, width, height in pixels of the upright image.
    box          real[] NOT NULL CHECK (cardinality(box) = 4),
    -- SHA-256 of the image's bytes, hexadecimal.
    image_hash   text NOT NULL CHECK (image_hash ~ '^[0-9a-f]{64}$'),
    -- Path or URL the image can be read from again; may be empty.
    source       text NOT NULL,
    image_date   date,
    created_at   timestamptz NOT NULL DEFAULT now(),
    -- One view of a performer in an image, so that enrolling again changes nothing.
    UNIQUE (performer_id, image_hash, model, version)
);
