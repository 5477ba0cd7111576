-- One chunk of src/booking/jobs/cancel.py, as psql: what frees the seats of 250 customers.
-- Variables: tenant, session, cancellation. Run as often as there are chunks.
BEGIN;
SET LOCAL app.tenant_id = :'tenant';
SELECT array_agg(customer_id) AS customers FROM (
  SELECT DISTINCT b.customer_id FROM bookings b
  JOIN seats s ON s.tenant_id = b.tenant_id AND s.booking_id = b.id
  JOIN sessions n ON n.tenant_id = s.tenant_id AND n.id = s.session_id
  WHERE s.tenant_id = :'tenant' AND s.session_id = :'session' AND s.state = 'confirmed'
  ORDER BY b.customer_id LIMIT 250
) found
\gset
SELECT count(*) AS orders FROM (
  SELECT o.id FROM orders o WHERE o.tenant_id = :'tenant' AND o.id IN (
    SELECT b.order_id FROM bookings b
    JOIN seats s ON s.tenant_id = b.tenant_id AND s.booking_id = b.id
    WHERE b.tenant_id = :'tenant' AND b.customer_id = ANY(:'customers'::uuid[])
      AND s.session_id = :'session'
  ) ORDER BY o.id FOR NO KEY UPDATE
) locked
\gset
SELECT array_agg(id) AS seats, count(*) AS freed FROM (
  SELECT s.id FROM seats s
  JOIN bookings b ON b.tenant_id = s.tenant_id AND b.id = s.booking_id
  JOIN sessions n ON n.tenant_id = s.tenant_id AND n.id = s.session_id
  WHERE s.tenant_id = :'tenant' AND b.customer_id = ANY(:'customers'::uuid[])
    AND s.session_id = :'session' AND s.state = 'confirmed'
  ORDER BY s.session_id, s.id FOR NO KEY UPDATE OF s
) locked
\gset
UPDATE seats SET state = 'cancelled', sequence = sequence + 1, changed_at = now(),
  changed_by = 'staff', changed_why = 'bench'
  WHERE tenant_id = :'tenant' AND id = ANY(:'seats'::uuid[]);
UPDATE cancellations SET done = done + :freed, seats_freed = seats_freed + :freed
  WHERE tenant_id = :'tenant' AND id = :'cancellation';
INSERT INTO outbox (topic, consumer, payload, created_at, available_at, attempts, tenant_id, id)
  SELECT 'booking.seats_cancelled', 'bench', jsonb_build_object('seat_ids', jsonb_build_array(seat)),
    now(), '2099-01-01', 0, :'tenant', gen_random_uuid() FROM unnest(:'seats'::uuid[]) seat;
UPDATE sessions SET seats_taken = seats_taken - :freed
  WHERE tenant_id = :'tenant' AND id = :'session';
COMMIT;
