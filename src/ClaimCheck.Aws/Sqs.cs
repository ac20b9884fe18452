using Amazon.SQS;
using Amazon.SQS.Model;

namespace ClaimCheck.Aws;

/// <summary>
/// Amazon SQS (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/) through its SDK, or a server with its
/// protocol.
/// </summary>
public static class Sqs
{
    /// <summary>20 seconds: the longest long poll.</summary>
    public static readonly TimeSpan MaxWait = AttemptHandler.LongPoll;

    /// <summary>12 hours: the longest that a message may stay hidden, counted from when it was received.</summary>
    public static readonly TimeSpan MaxVisibility = TimeSpan.FromHours(12);

    /// <summary>
    /// A client of the SDK with deadlines for answers' bodies, and with one kind of failure: each call throws an
    /// <see cref="AwsMessagingException"/>, which never quotes a message, a handle or a credential. Supports concurrent calls;
    /// the caller disposes it. Does not connect yet.
    /// </summary>
    /// <param name="options">By default everything as AWS's SDKs find it.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="AwsMessagingException">Neither a region nor an endpoint is configured.</exception>
    public static IAmazonSQS Connect(AwsMessagingOptions? options = null)
    {
        options ??= new AwsMessagingOptions();
        options.Validate();
        var config = new AmazonSQSConfig();
        var connections = Connections.For(config, "SQS", options);
        try
        {
            return new Client(options.Credentials, config, connections);
        }
        catch (AmazonClientException e)
        {
            connections.Dispose();
            throw new AwsMessagingException(
                AwsFailure.Invalid, "NoRegion", $"SQS can't be called: {e.Message}", isTransient: false);
        }
    }

    private sealed class Client(AWSCredentials? credentials, AmazonSQSConfig config, Connections connections)
        : AmazonSQSClient(credentials, config) // null is the credential chain
    {
        // Answers contain messages.
        protected override bool SupportResponseLogging => false;

        protected override void CustomizeRuntimePipeline(RuntimePipeline pipeline)
        {
            base.CustomizeRuntimePipeline(pipeline);
            pipeline.AddHandlerAfter<RetryHandler>(new KnownCodes());
            pipeline.AddHandler(new Explanation());
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing)
                connections.Dispose();
        }
    }

    /// <summary>Inside the retries: marks transient codes that the SDK does not know.</summary>
    private sealed class KnownCodes : PipelineHandler
    {
        public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            try
            {
                return await base.InvokeAsync<T>(executionContext);
            }
            catch (AmazonSQSException e)
            {
                var code = e.ErrorCode?.Replace("AWS.SimpleQueueService.", "", StringComparison.Ordinal);
                throw new WireException(new WireError(code is { Length: > 0 and <= 128 } ? code : null, e.Message, e.RequestId),
                    e.InnerException, e.StatusCode);
            }
        }
    }

    /// <summary>Outermost: explains every failure.</summary>
    private sealed class Explanation : PipelineHandler
    {
        public override async Task<T> InvokeAsync<T>(IExecutionContext executionContext)
        {
            var request = executionContext.RequestContext;
            try
            {
                return await base.InvokeAsync<T>(executionContext);
            }
            catch (Exception) when (request.CancellationToken.IsCancellationRequested)
            {
                // Whatever the cause.
                request.CancellationToken.ThrowIfCancellationRequested();
                throw;
            }
            catch (Exception e) when (e is AmazonClientException or AmazonServiceException or HttpRequestException or IOException
                or TimeoutException)
            {
                throw Failures.From(e, $"SQS {Operation(request.OriginalRequest)}", Queue(request.OriginalRequest),
                    HoldsMessages(request.OriginalRequest));
            }
        }

        private static string Operation(AmazonWebServiceRequest request) =>
            request.GetType().Name.Replace("Request", "", StringComparison.Ordinal);

        // Error messages name the queue without its host and account.
        private static string? Queue(AmazonWebServiceRequest request) =>
            request switch
            {
                ReceiveMessageRequest receive => receive.QueueUrl,
                DeleteMessageRequest delete => delete.QueueUrl,
                DeleteMessageBatchRequest delete => delete.QueueUrl,
                ChangeMessageVisibilityRequest change => change.QueueUrl,
                ChangeMessageVisibilityBatchRequest change => change.QueueUrl,
                SendMessageRequest send => send.QueueUrl,
                SendMessageBatchRequest send => send.QueueUrl,
                GetQueueAttributesRequest get => get.QueueUrl,
                SetQueueAttributesRequest set => set.QueueUrl,
                DeleteQueueRequest delete => delete.QueueUrl,
                GetQueueUrlRequest get => get.QueueName,
                CreateQueueRequest create => create.QueueName,
                _ => null,
            } is { } queue ? queue[(queue.LastIndexOf('/') + 1)..] : null;

        private static bool HoldsMessages(AmazonWebServiceRequest request) =>
            request is SendMessageRequest or SendMessageBatchRequest;
    }
}
