-- What a webhook's events are sent as; null: application/cloudevents+json, as for queues, where it means nothing.
ALTER TABLE subscriptions ADD COLUMN content_type text NULL;
