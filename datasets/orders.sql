-- A parameter that is left out is NULL: the planner then drops its condition.
SELECT id,
       customer,
       status,
       amount,
       currency,
       note,
       created_at
  FROM orders
 WHERE (:since IS NULL OR created_at >= :since)
   AND (:status IS NULL OR status = :status)
 ORDER BY id;
