-- Rows that are truncated away are withdrawn like those that are deleted: replicas learn of them.
CREATE FUNCTION face.note_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO face.withdrawals (row_seq) SELECT seq FROM face.vectors WHERE state = 'active';
    PERFORM pg_notify('marquee_face', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER noted_truncation BEFORE TRUNCATE ON face.vectors
FOR EACH STATEMENT EXECUTE FUNCTION face.note_truncation();
