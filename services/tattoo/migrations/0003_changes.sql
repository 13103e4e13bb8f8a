-- Views of one tattoo belong together, what is known of a performer's skin, and how replicas learn of changes.

ALTER TABLE tattoo.performer_tattoos
    -- The tattoo that a row is one view of; views of one tattoo share it.
    ADD COLUMN tattoo_id uuid NOT NULL DEFAULT gen_random_uuid();

-- Until now every view was a tattoo of its own, whatever number of embedders described it.
UPDATE tattoo.performer_tattoos AS one SET tattoo_id = first.id
FROM (
    SELECT DISTINCT ON (performer_id, image_hash, box) performer_id, image_hash, box, id
    FROM tattoo.performer_tattoos ORDER BY performer_id, image_hash, box, seq
) AS first
WHERE (one.performer_id, one.image_hash, one.box) = (first.performer_id, first.image_hash, first.box);

CREATE INDEX idx_tattoos_tattoo ON tattoo.performer_tattoos (tattoo_id);

-- What somebody says of a region. No row means NO_DATA: nothing follows from it.
CREATE TABLE tattoo.region_knowledge (
    performer_id uuid NOT NULL REFERENCES catalogue.performers (id) ON DELETE CASCADE,
    -- As in performer_tattoos.
    body_region text NOT NULL CHECK (body_region <> ''),
    knowledge text NOT NULL CHECK (knowledge IN ('known_tattooed', 'known_clear')),
    -- Who says so: observed, or an authority such as stashdb.org.
    source text NOT NULL CHECK (source <> ''),
    -- The source's words; '' when it has none.
    description text NOT NULL DEFAULT '',
    -- Days from which and until which it is so; null when unknown.
    since date,
    until date,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (performer_id, body_region, source, description)
);

-- What replicas follow. A row can be found from its seq's commit to its withdrawal, and never again under that seq.
CREATE INDEX idx_performer_tattoos_xid ON tattoo.performer_tattoos (xid, seq);

CREATE TABLE tattoo.withdrawals (
    -- Of the row that can be found no more.
    row_seq bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX idx_withdrawals_xid ON tattoo.withdrawals (xid);

CREATE FUNCTION tattoo.note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A hint that saves waiting for the next poll.
    PERFORM pg_notify('marquee_tattoo', '');
    RETURN NULL;
END
$$;

CREATE FUNCTION tattoo.note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tattoo.withdrawals (row_seq) SELECT seq FROM gone;
    PERFORM pg_notify('marquee_tattoo', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER noted_insert AFTER INSERT ON tattoo.performer_tattoos
FOR EACH STATEMENT EXECUTE FUNCTION tattoo.note_insert();

CREATE TRIGGER noted_delete AFTER DELETE ON tattoo.performer_tattoos
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tattoo.note_delete();

-- What is known of a tattoo is in memory beside its vector: a change makes a new row of it for whoever follows.
CREATE FUNCTION tattoo.note_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tattoo.withdrawals (row_seq) VALUES (OLD.seq);
    NEW.seq := nextval('tattoo.performer_tattoos_seq_seq');
    NEW.xid := pg_current_xact_id();
    PERFORM pg_notify('marquee_tattoo', '');
    RETURN NEW;
END
$$;

CREATE TRIGGER noted_update
BEFORE UPDATE OF body_region, first_seen_date, removed_date, confidence, tattoo_id ON tattoo.performer_tattoos
FOR EACH ROW WHEN (
    (OLD.body_region, OLD.first_seen_date, OLD.removed_date, OLD.confidence, OLD.tattoo_id)
    IS DISTINCT FROM (NEW.body_region, NEW.first_seen_date, NEW.removed_date, NEW.confidence, NEW.tattoo_id)
) EXECUTE FUNCTION tattoo.note_update();

-- From similarities to likelihood ratios, fitted on pairs; the newest of a model and version counts.
CREATE TABLE tattoo.calibrations (
    seq bigserial PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    model text NOT NULL CHECK (model <> ''),
    version text NOT NULL CHECK (version <> ''),
    parameters jsonb NOT NULL,
    genuine_pairs bigint NOT NULL CHECK (genuine_pairs >= 0),
    impostor_pairs bigint NOT NULL CHECK (impostor_pairs >= 0),
    -- Which pairs, of which pictures.
    provenance text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
