-- Who a candidate is, is asked with every answer: a performer's ids elsewhere are read from this index alone.
CREATE INDEX idx_external_ids_of_performer ON catalogue.external_ids (performer_id) INCLUDE (position, authority, id);
DROP INDEX catalogue.idx_external_ids_performer;
