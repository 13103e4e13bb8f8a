-- Which of the enrolled faces are searched, and how replicas learn of changes.

ALTER TABLE face.vectors
    -- active: searched. reserve: good, but the performer has enough better or more different ones. quarantined: looks
    -- like somebody else. Every vector of one face has the same state.
    ADD COLUMN state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'reserve', 'quarantined')),
    -- Why, in words; '' for active.
    ADD COLUMN state_reason text NOT NULL DEFAULT '';

-- What replicas follow. A row can be found from its seq's commit to its withdrawal, and never again under that seq.
CREATE INDEX idx_vectors_xid ON face.vectors (xid, seq);

CREATE TABLE face.withdrawals (
    -- Of the row that can be found no more.
    row_seq bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE INDEX idx_withdrawals_xid ON face.withdrawals (xid);

CREATE FUNCTION face.note_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A hint that saves waiting for the next poll.
    PERFORM pg_notify('marquee_face', '');
    RETURN NULL;
END
$$;

CREATE FUNCTION face.note_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO face.withdrawals (row_seq) SELECT seq FROM gone WHERE state = 'active';
    PERFORM pg_notify('marquee_face', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER noted_insert AFTER INSERT ON face.vectors
FOR EACH STATEMENT EXECUTE FUNCTION face.note_insert();

CREATE TRIGGER noted_delete AFTER DELETE ON face.vectors
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION face.note_delete();

CREATE FUNCTION face.note_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'active' THEN
        INSERT INTO face.withdrawals (row_seq) VALUES (OLD.seq);
    END IF;
    IF NEW.state = 'active' THEN
        NEW.seq := nextval('face.vectors_seq_seq');
        NEW.xid := pg_current_xact_id();
    END IF;
    PERFORM pg_notify('marquee_face', '');
    RETURN NEW;
END
$$;

CREATE TRIGGER noted_state BEFORE UPDATE OF state ON face.vectors
FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION face.note_state();

-- From similarities to likelihood ratios, fitted on pairs; the newest of a model and version counts.
CREATE TABLE face.calibrations (
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
