#!/usr/bin/env bash
# Creates what ClaimCheck needs in S3, SNS and SQS: a bucket, a topic, a queue with its dead letter queue, and the subscription
# between them. It may be run again; names and region come from the environment. It needs only the aws command line:
# LocalStack runs it when it is ready, and it does the same against AWS.
set -euo pipefail

bucket=${CLAIMCHECK_BUCKET:-claimcheck-staging}
topic=${CLAIMCHECK_TOPIC:-claimcheck-events}
queue=${CLAIMCHECK_QUEUE:-billing}
consumer=${CLAIMCHECK_CONSUMER:-billing}
receives=${CLAIMCHECK_MAX_RECEIVES:-5}

# Inside LocalStack's container the services are at its own edge port.
if [[ -z ${AWS_ENDPOINT_URL:-} && ${BASH_SOURCE[0]} == /etc/localstack/* ]]; then
    export AWS_ENDPOINT_URL=http://localhost:4566
fi
# Versions of the command line differ in which of the two they read.
region=${AWS_REGION:-${AWS_DEFAULT_REGION:-us-east-1}}
export AWS_REGION=$region AWS_DEFAULT_REGION=$region

# Version 1 of the command line calls queue.amazonaws.com by default: it ignores the environment's endpoint for SQS.
sqs_endpoint=${AWS_ENDPOINT_URL_SQS:-${AWS_ENDPOINT_URL:-}}
sqs() { aws sqs "$@" ${sqs_endpoint:+--endpoint-url "$sqs_endpoint"}; }

# us-east-1 is the one region that must not be named, all others must be.
place=()
[ "$region" = us-east-1 ] || place=(--create-bucket-configuration "LocationConstraint=$region")
aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1 ||
    aws s3api create-bucket --bucket "$bucket" ${place[@]+"${place[@]}"} >/dev/null

topic_arn=$(aws sns create-topic --name "$topic" --query TopicArn --output text)

# Looked up first: creating an existing queue is an error where its attributes differ from the requested ones.
queue_named() {
    sqs get-queue-url --queue-name "$1" --query QueueUrl --output text 2>/dev/null ||
        sqs create-queue --queue-name "$1" --query QueueUrl --output text
}
arn_of() {
    sqs get-queue-attributes --queue-url "$1" --attribute-names QueueArn --query Attributes.QueueArn --output text
}

# The dead letter queue keeps messages longer than the queue does: it counts from when they were first sent.
dead_url=$(queue_named "$queue-dead")
dead_arn=$(arn_of "$dead_url")
sqs set-queue-attributes --queue-url "$dead_url" --attributes MessageRetentionPeriod=1209600

queue_url=$(queue_named "$queue")
queue_arn=$(arn_of "$queue_url")

policy="{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"sns.amazonaws.com\"},\"Action\":\"sqs:SendMessage\",\"Resource\":\"$queue_arn\",\"Condition\":{\"ArnEquals\":{\"aws:SourceArn\":\"$topic_arn\"}}}]}"
redrive="{\"deadLetterTargetArn\":\"$dead_arn\",\"maxReceiveCount\":\"$receives\"}"
quote() { printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }
sqs set-queue-attributes --queue-url "$queue_url" \
    --attributes "{\"VisibilityTimeout\":\"60\",\"MessageRetentionPeriod\":\"604800\",\"RedrivePolicy\":$(quote "$redrive"),\"Policy\":$(quote "$policy")}"

# Raw delivery: the message is the event. Only events for all, or for this consumer.
filter="{\"consumer\":[\"*\",\"$consumer\"]}"
# An existing subscription is used; some servers refuse to return it where it has attributes already.
subscription_arn=$(aws sns subscribe --topic-arn "$topic_arn" --protocol sqs --notification-endpoint "$queue_arn" \
    --return-subscription-arn --query SubscriptionArn --output text 2>/dev/null ||
    aws sns list-subscriptions-by-topic --topic-arn "$topic_arn" \
        --query "Subscriptions[?Endpoint=='$queue_arn'] | [0].SubscriptionArn" --output text)
aws sns set-subscription-attributes --subscription-arn "$subscription_arn" --attribute-name RawMessageDelivery --attribute-value true
aws sns set-subscription-attributes --subscription-arn "$subscription_arn" --attribute-name FilterPolicy --attribute-value "$filter"

echo "bucket $bucket"
echo "topic $topic_arn"
echo "queue $queue_url"
