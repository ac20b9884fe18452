#!/usr/bin/env bash
# Makes what ClaimCheck needs at S3, SNS and SQS: a bucket, a topic, a queue with its dead letter queue, and the subscription
# between them. Every call may be repeated; the names come from the environment. It needs only the aws command line:
# LocalStack runs it when it is ready, and it does the same against AWS.
set -euo pipefail

bucket=${CLAIMCHECK_BUCKET:-claimcheck-staging}
topic=${CLAIMCHECK_TOPIC:-claimcheck-events}
queue=${CLAIMCHECK_QUEUE:-billing}
consumer=${CLAIMCHECK_CONSUMER:-billing}
receives=${CLAIMCHECK_MAX_RECEIVES:-5}

# Inside LocalStack's container the services are at its own edge port.
if [ -z "${AWS_ENDPOINT_URL:-}" ] && [ -n "${LOCALSTACK_HOSTNAME:-}${LOCALSTACK_VERSION:-}" ]; then
    export AWS_ENDPOINT_URL=http://localhost:4566
fi
export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-${AWS_REGION:-us-east-1}}

aws s3api head-bucket --bucket "$bucket" 2>/dev/null || aws s3api create-bucket --bucket "$bucket" >/dev/null

topic_arn=$(aws sns create-topic --name "$topic" --query TopicArn --output text)

# The dead letter queue keeps messages longer than the queue does: it counts from when they were first sent.
dead_url=$(aws sqs create-queue --queue-name "$queue-dead" --attributes MessageRetentionPeriod=1209600 --query QueueUrl --output text)
dead_arn=$(aws sqs get-queue-attributes --queue-url "$dead_url" --attribute-names QueueArn --query Attributes.QueueArn --output text)

queue_url=$(aws sqs create-queue --queue-name "$queue" --query QueueUrl --output text)
queue_arn=$(aws sqs get-queue-attributes --queue-url "$queue_url" --attribute-names QueueArn --query Attributes.QueueArn --output text)

policy="{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sns.amazonaws.com\"},\"Action\":\"sqs:SendMessage\",\"Resource\":\"$queue_arn\",\"Condition\":{\"ArnEquals\":{\"aws:SourceArn\":\"$topic_arn\"}}}]}"
redrive="{\"deadLetterTargetArn\":\"$dead_arn\",\"maxReceiveCount\":\"$receives\"}"
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }
aws sqs set-queue-attributes --queue-url "$queue_url" \
    --attributes "{\"VisibilityTimeout\":\"60\",\"MessageRetentionPeriod\":\"604800\",\"RedrivePolicy\":$(quote "$redrive"),\"Policy\":$(quote "$policy")}"

# Raw delivery: the message is the event. Only what is for everybody, or for this consumer.
filter="{\"consumer\":[\"*\",\"$consumer\"]}"
subscription_arn=$(aws sns subscribe --topic-arn "$topic_arn" --protocol sqs --notification-endpoint "$queue_arn" \
    --return-subscription-arn --query SubscriptionArn --output text)
aws sns set-subscription-attributes --subscription-arn "$subscription_arn" --attribute-name RawMessageDelivery --attribute-value true
aws sns set-subscription-attributes --subscription-arn "$subscription_arn" --attribute-name FilterPolicy --attribute-value "$filter"

echo "bucket $bucket"
echo "topic $topic_arn"
echo "queue $queue_url"
