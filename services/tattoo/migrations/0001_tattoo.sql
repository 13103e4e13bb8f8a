-- Performers' tattoos as seen in images. A row is one view of one tattoo, as one embedder describes it.
CREATE TABLE tattoo.performer_tattoos (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Order of acceptance, and the key in the index.
    seq             bigserial NOT NULL UNIQUE,
    -- The transaction that wrote the row: a reader that follows by seq alone would miss late commits.
    xid             xid8 NOT NULL DEFAULT pg_current_xact_id(),
    performer_id    uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    model           text NOT NULL CHECK (model <> ''),
    version         text NOT NULL CHECK (version <> ''),
    -- As the contract's BodyRegion has it, in lower case: left_forearm, upper_back, unknown ...
    body_region     text NOT NULL CHECK (body_region <> ''),
    -- Little-endian float32, a unit vector; 512 values with the built-in embedder.
    embedding       bytea NOT NULL CHECK (octet_length(embedding) > 0 AND octet_length(embedding) % 4 = 0),
    -- Path or URL the image can be read from again; may be empty.
    image_url       text NOT NULL,
    -- SHA-256 of the image's bytes, hexadecimal.
    image_hash      text NOT NULL CHECK (image_hash ~ '^[0-9a-f]{64}$'),
    -- x, y, width, height in pixels of the upright image.
    box             real[] NOT NULL CHECK (cardinality(box) = 4),
    -- The detector's, 0..1.
    confidence      real NOT NULL CHECK (confidence >= 0 AND confidence <= 1),
    -- Of the view, 0..1; docs/tattoo.md has the formula.
    quality         real NOT NULL CHECK (quality >= 0 AND quality <= 1),
    -- Who found the tattoo there: "observed" by the detector.
    source          text NOT NULL DEFAULT 'observed',
    -- Day of the image; null when unknown.
    first_seen_date date,
    -- Day from which it is gone or covered; null while it is there.
    removed_date    date,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- One view of a tattoo in an image, so that enrolling again changes nothing.
    UNIQUE (performer_id, image_hash, box, model, version)
);

CREATE INDEX idx_tattoos_performer ON tattoo.performer_tattoos (performer_id);
CREATE INDEX idx_tattoos_model ON tattoo.performer_tattoos (model, version, seq);
