-- Rows that are truncated away are withdrawn like those that are deleted: replicas learn of them.
CREATE FUNCTION tattoo.note_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tattoo.withdrawals (row_seq) SELECT seq FROM tattoo.performer_tattoos;
    PERFORM pg_notify('marquee_tattoo', '');
    RETURN NULL;
END
$$;

CREATE TRIGGER noted_truncation BEFORE TRUNCATE ON tattoo.performer_tattoos
FOR EACH STATEMENT EXECUTE FUNCTION tattoo.note_truncation();
