-- One statement for one item; run over a chunk in one round trip. An item that touches no row is not_found.
UPDATE orders
   SET status = :status
 WHERE id = :id;
