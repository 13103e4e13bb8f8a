-- What was observed before says what is known of regions, too.
INSERT INTO tattoo.region_knowledge (performer_id, body_region, knowledge, source, since)
SELECT performer_id, body_region, 'known_tattooed', 'observed', min(first_seen_date)
FROM tattoo.performer_tattoos
WHERE source = 'observed' AND body_region NOT IN ('unknown', 'other')
GROUP BY performer_id, body_region
ON CONFLICT DO NOTHING;
