-- What is known of a performer besides photographs, what became of every photograph, and who is not to be identified.

-- Derived by the body service from its measurements: shoulder_hip_ratio, leg_torso_ratio, shoulder_torso_ratio, each
-- only where it is known; or, until something is measured, as an import brought them.
ALTER TABLE catalogue.performers ADD COLUMN body_ratios jsonb NOT NULL DEFAULT '{}';

-- From metadata only, never from pictures.
CREATE TABLE catalogue.performer_breast_history (
    id bigserial PRIMARY KEY,
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    -- As the source says it, such as a cup size; '' when unknown.
    size_category text NOT NULL DEFAULT '',
    -- 0..1; null when unknown.
    natural_probability real CHECK (natural_probability BETWEEN 0 AND 1),
    -- First and last day; null when open or unknown.
    effective_from date,
    effective_until date CHECK (effective_until >= effective_from),
    -- Who says so.
    source text NOT NULL DEFAULT ''
);

CREATE INDEX idx_breast_history_performer ON catalogue.performer_breast_history (performer_id);

-- Every photograph of a performer that a source named or sent, and what became of it. Sending it again changes its row,
-- so that the counts by source are the same however often an enrolment is repeated.
CREATE TABLE catalogue.images (
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    -- Where it comes from, lower case: an authority such as stashdb.org, or folder.
    source text NOT NULL CHECK (source <> ''),
    -- The path or URL; of a picture without one sha256: and its hash.
    image_key text NOT NULL CHECK (image_key <> ''),
    uri text NOT NULL DEFAULT '',
    -- SHA-256 of the bytes, lower-case hexadecimal; '' until they were read.
    image_hash text NOT NULL DEFAULT '' CHECK (image_hash ~ '^([0-9a-f]{64})?$'),
    image_date date,
    -- known: named, not read yet. failed: could not be read. The others: what enrolment said.
    state text NOT NULL CHECK (state IN ('known', 'failed', 'accepted', 'rejected')),
    -- Of a rejection the contract's RejectionReason in lower case without its prefix; of a failure a word such as
    -- not_found; '' otherwise.
    reason text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (performer_id, source, image_key)
);

CREATE INDEX idx_images_source ON catalogue.images (source, state);
CREATE INDEX idx_images_hash ON catalogue.images (image_hash) WHERE image_hash <> '';

-- Who asked to be forgotten: neither these ids nor these pictures are enrolled again. Digests, not ids.
CREATE TABLE catalogue.do_not_identify (
    kind text NOT NULL CHECK (kind IN ('external_id', 'image')),
    -- SHA-256, lower-case hexadecimal: of authority, a line feed and id; or of the picture's bytes.
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, digest)
);

-- That somebody was forgotten, and how much was deleted. Nothing of whom.
CREATE TABLE catalogue.forget_audit (
    id bigserial PRIMARY KEY,
    forgotten_at timestamptz NOT NULL DEFAULT now(),
    -- SHA-256 of the performer's id: whoever has the id can prove that it is gone.
    performer_digest text NOT NULL CHECK (performer_digest ~ '^[0-9a-f]{64}$'),
    -- Rows deleted, by signal.
    deleted jsonb NOT NULL
);
