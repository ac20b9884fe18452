using System.Text.Json;
using ClaimCheck.Aws.Sqs;
using ClaimCheck.Aws.Wire;

namespace ClaimCheck.Aws;

/// <summary>
/// Amazon SQS (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/), or what speaks its protocol. For any number of
/// calls at once; whoever makes it disposes it. Each call is signed, tried again up to <see cref="AwsMessagingOptions.MaxAttempts"/>
/// times where that may help, and ends promptly when it is cancelled. Because of the tries, what is sent is sent at least once.
/// A queue's URL must be of the client's own region.
/// </summary>
public sealed class SqsClient : IDisposable
{
    /// <summary>1 MiB: the most that one message, or a batch, may have with its attributes.</summary>
    public const int MaxMessageBytes = 1 << 20;

    /// <summary>20 seconds: the longest long poll.</summary>
    public static readonly TimeSpan MaxWait = AttemptHandler.LongPoll;

    /// <summary>12 hours: the longest that a message may stay hidden, counted from when it was received.</summary>
    public static readonly TimeSpan MaxVisibility = TimeSpan.FromHours(12);

    private readonly Caller wire;

    /// <summary>Connects to nothing yet.</summary>
    /// <param name="options">By default all as AWS's SDKs find it.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public SqsClient(AwsMessagingOptions? options = null)
    {
        wire = new Caller("SQS", "2012-11-05", options ?? new AwsMessagingOptions(), SqsProtocol.ReadError);
    }

    /// <summary>Takes messages; they stay hidden from others until they are deleted or their visibility is over.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="maxMessages">1 to 10.</param>
    /// <param name="wait">How long to wait for the first one; zero to <see cref="MaxWait"/>, which is the default.</param>
    /// <param name="visibility">How long they stay hidden; zero to <see cref="MaxVisibility"/>, by default the queue's own (30 seconds).</param>
    /// <param name="cancellationToken">Ends the wait at once. What the server handed out meanwhile comes again after its visibility.</param>
    /// <returns>None to <paramref name="maxMessages"/>. An answer that is cut short is a failure, not an empty list.</returns>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task<IReadOnlyList<ReceivedMessage>> ReceiveAsync(
        string queueUrl, int maxMessages = 10, TimeSpan? wait = null, TimeSpan? visibility = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxMessages, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxMessages, 10);
        CheckRange(wait ?? MaxWait, MaxWait, nameof(wait));
        CheckRange(visibility ?? TimeSpan.Zero, MaxVisibility, nameof(visibility));
        var call = OnQueue("ReceiveMessage", queueUrl, json =>
        {
            json.WriteNumber("MaxNumberOfMessages", maxMessages);
            json.WriteNumber("WaitTimeSeconds", Seconds(wait ?? MaxWait));
            if (visibility is { } hidden)
                json.WriteNumber("VisibilityTimeout", Seconds(hidden));
            Strings(json, "MessageAttributeNames", "All");
            Strings(json, "MessageSystemAttributeNames",
                "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SentTimestamp", "MessageGroupId");
        });
        return wire.CallAsync(call, SqsProtocol.Reading<IReadOnlyList<ReceivedMessage>>(SqsMessages.ReadReceived), cancellationToken);
    }

    /// <summary>Deletes messages that are done with. A stale handle succeeds, and deletes nothing.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="receiptHandles">1 to 10, the newest of each message.</param>
    /// <param name="cancellationToken">Cancels the call; what was deleted stays deleted.</param>
    /// <returns>An outcome for each handle, in their order.</returns>
    /// <exception cref="AwsMessagingException">The call as a whole failed, also when tried again.</exception>
    public Task<IReadOnlyList<BatchOutcome>> DeleteBatchAsync(
        string queueUrl, IReadOnlyList<string> receiptHandles, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(receiptHandles);
        return BatchAsync("DeleteMessageBatch", queueUrl, receiptHandles,
            (json, handle) => json.WriteString("ReceiptHandle", handle), (_, _) => null, cancellationToken);
    }

    /// <summary>Changes how long messages stay hidden, counted from now.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="changes">1 to 10. A message past 12 hours from its receive, or with a stale handle, fails by itself.</param>
    /// <param name="cancellationToken">Cancels the call; what was changed stays changed.</param>
    /// <returns>An outcome for each change, in their order.</returns>
    /// <exception cref="AwsMessagingException">The call as a whole failed, also when tried again.</exception>
    public Task<IReadOnlyList<BatchOutcome>> ChangeVisibilityBatchAsync(
        string queueUrl, IReadOnlyList<VisibilityChange> changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        foreach (var change in changes)
            CheckRange(change.Visibility, MaxVisibility, nameof(changes));
        return BatchAsync("ChangeMessageVisibilityBatch", queueUrl, changes,
            (json, change) =>
            {
                json.WriteString("ReceiptHandle", change.ReceiptHandle);
                json.WriteNumber("VisibilityTimeout", Seconds(change.Visibility));
            },
            (_, _) => null, cancellationToken);
    }

    /// <summary>Sends a message; at least once.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="message">At most <see cref="MaxMessageBytes"/>.</param>
    /// <param name="delay">How long it stays hidden at first; zero to 15 minutes, by default the queue's own (none). Not for FIFO queues.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been sent.</param>
    /// <returns>The id that it got.</returns>
    /// <exception cref="AwsMessagingException">It failed, also when tried again; or the message is one that SQS does not take.</exception>
    public Task<string> SendAsync(string queueUrl, OutgoingMessage message, TimeSpan? delay = null, CancellationToken cancellationToken = default)
    {
        Limits.Check(message, "The message");
        Limits.CheckSize(message.SizeInBytes, MaxMessageBytes, "The message");
        CheckRange(delay ?? TimeSpan.Zero, TimeSpan.FromMinutes(15), nameof(delay));
        var call = OnQueue("SendMessage", queueUrl, json => SqsMessages.Write(json, message, delay), holdsMessages: true);
        return wire.CallAsync(call, SqsProtocol.Reading(answer => SqsMessages.ReadSent(answer, message)), cancellationToken);
    }

    /// <summary>Sends messages; each at least once.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="messages">1 to 10; together at most <see cref="MaxMessageBytes"/>.</param>
    /// <param name="cancellationToken">Cancels the call; they may have been sent.</param>
    /// <returns>An outcome for each message, in their order.</returns>
    /// <exception cref="AwsMessagingException">The call as a whole failed, also when tried again; or they are ones that SQS does not take.</exception>
    public Task<IReadOnlyList<BatchOutcome>> SendBatchAsync(
        string queueUrl, IReadOnlyList<OutgoingMessage> messages, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        for (var i = 0; i < messages.Count; i++)
            Limits.Check(messages[i], $"Message {i} of the batch");
        Limits.CheckSize(messages.Sum(message => message.SizeInBytes), MaxMessageBytes, "The batch");
        return BatchAsync("SendMessageBatch", queueUrl, messages,
            (json, message) => SqsMessages.Write(json, message, delay: null),
            (entry, index) => SqsMessages.ReadSent(entry, messages[index]), cancellationToken, holdsMessages: true);
    }

    /// <summary>A queue's URL.</summary>
    /// <param name="name">Its name; a FIFO queue's ends in <c>.fifo</c>.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">It failed; of the kind <see cref="AwsFailure.NotFound"/> where there is no such queue.</exception>
    public Task<string> GetQueueUrlAsync(string name, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SqsProtocol.Call("GetQueueUrl", name, json => json.WriteString("QueueName", name)),
            SqsProtocol.Reading(answer => SqsProtocol.RequiredText(answer, "QueueUrl")), cancellationToken);

    /// <summary>The URL of a queue that may be another account's.</summary>
    /// <param name="name">Its name; a FIFO queue's ends in <c>.fifo</c>.</param>
    /// <param name="ownerAccountId">The account that owns it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">
    /// It failed; of the kind <see cref="AwsFailure.NotFound"/> where there is no such queue, or none that the caller may see.
    /// </exception>
    public Task<string> GetQueueUrlAsync(string name, string ownerAccountId, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SqsProtocol.Call("GetQueueUrl", name, json =>
            {
                json.WriteString("QueueName", name);
                json.WriteString("QueueOwnerAWSAccountId", ownerAccountId);
            }),
            SqsProtocol.Reading(answer => SqsProtocol.RequiredText(answer, "QueueUrl")), cancellationToken);

    /// <summary>All attributes of a queue, as AWS names them: <c>QueueArn</c>, <c>VisibilityTimeout</c> (seconds), <c>RedrivePolicy</c>, …</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task<IReadOnlyDictionary<string, string>> GetQueueAttributesAsync(string queueUrl, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            OnQueue("GetQueueAttributes", queueUrl, json => Strings(json, "AttributeNames", "All")),
            SqsProtocol.Reading<IReadOnlyDictionary<string, string>>(answer => SqsProtocol.Texts(answer, "Attributes")), cancellationToken);

    /// <summary>Sets attributes of a queue; AWS takes up to a minute to apply them. Those that are not named stay as they are.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="attributes">As AWS names them (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html).</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task SetQueueAttributesAsync(
        string queueUrl, IReadOnlyDictionary<string, string> attributes, CancellationToken cancellationToken = default) =>
        wire.CallAsync(OnQueue("SetQueueAttributes", queueUrl, json => Object(json, "Attributes", attributes)), SqsProtocol.Nothing, cancellationToken);

    /// <summary>Makes a queue, or finds one of that name with the same attributes.</summary>
    /// <param name="name">Up to 80 letters, digits, hyphens and underscores; a FIFO queue's ends in <c>.fifo</c>.</param>
    /// <param name="attributes">As AWS names them; by default its defaults.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been made.</param>
    /// <returns>Its URL.</returns>
    /// <exception cref="AwsMessagingException">It failed; with the code <c>QueueNameExists</c> where one of that name has other attributes.</exception>
    public Task<string> CreateQueueAsync(
        string name, IReadOnlyDictionary<string, string>? attributes = null, CancellationToken cancellationToken = default) =>
        wire.CallAsync(
            SqsProtocol.Call("CreateQueue", name, json =>
            {
                json.WriteString("QueueName", name);
                if (attributes is { Count: > 0 })
                    Object(json, "Attributes", attributes);
            }),
            SqsProtocol.Reading(answer => SqsProtocol.RequiredText(answer, "QueueUrl")), cancellationToken);

    /// <summary>Deletes a queue with all its messages.</summary>
    /// <param name="queueUrl">The queue.</param>
    /// <param name="cancellationToken">Cancels the call; it may have been deleted.</param>
    /// <exception cref="AwsMessagingException">It failed, also when tried again.</exception>
    public Task DeleteQueueAsync(string queueUrl, CancellationToken cancellationToken = default) =>
        wire.CallAsync(OnQueue("DeleteQueue", queueUrl, _ => { }), SqsProtocol.Nothing, cancellationToken);

    /// <summary>Closes the connections; calls that are under way fail.</summary>
    public void Dispose() => wire.Dispose();

    private Task<IReadOnlyList<BatchOutcome>> BatchAsync<T>(
        string operation, string queueUrl, IReadOnlyList<T> entries, Action<Utf8JsonWriter, T> write,
        Func<JsonElement, int, string?> succeeded, CancellationToken cancellationToken, bool holdsMessages = false)
    {
        BatchEntries.Check(entries.Count);
        var call = OnQueue(operation, queueUrl, json =>
        {
            json.WriteStartArray("Entries");
            for (var i = 0; i < entries.Count; i++)
            {
                json.WriteStartObject();
                json.WriteString("Id", BatchEntries.Id(i));
                write(json, entries[i]);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }, holdsMessages);
        return wire.CallAsync(
            call, SqsProtocol.Reading<IReadOnlyList<BatchOutcome>>(answer => SqsMessages.ReadOutcomes(answer, $"SQS {operation}", entries.Count, succeeded)),
            cancellationToken);
    }

    private static WireCall OnQueue(string operation, string queueUrl, Action<Utf8JsonWriter> members, bool holdsMessages = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(queueUrl);
        // Error texts name the queue without its host and account.
        return SqsProtocol.Call(operation, queueUrl[(queueUrl.LastIndexOf('/') + 1)..], json =>
        {
            json.WriteString("QueueUrl", queueUrl);
            members(json);
        }, holdsMessages);
    }

    private static void Strings(Utf8JsonWriter json, string name, params ReadOnlySpan<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Object(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> members)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in members)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    // Upwards: a message must not show itself earlier than it was asked to.
    private static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    private static void CheckRange(TimeSpan time, TimeSpan most, string name)
    {
        if (time < TimeSpan.Zero || time > most)
            throw new ArgumentOutOfRangeException(name, time, $"It must be zero to {most}.");
    }
}
