using System.Text;

namespace ClaimCheck.Aws;

/// <summary>A message to be published or sent. Its text form says how large it is, never what it holds.</summary>
/// <param name="body">
/// The text; not empty. SNS takes 256 KiB with the attributes, SQS 1 MiB (https://docs.aws.amazon.com/general/latest/gr/sns.html,
/// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html), and neither takes control
/// characters other than tab, LF and CR.
/// </param>
public sealed class OutgoingMessage(string body)
{
    /// <summary>Ten: raw delivery to SQS loses messages with more, so they are not sent.</summary>
    public const int MaxAttributes = 10;

    /// <summary>The text.</summary>
    public string Body { get; } = body ?? throw new ArgumentNullException(nameof(body));

    /// <summary>
    /// Attributes of the type String, which filter policies look at; at most <see cref="MaxAttributes"/>, none empty.
    /// None by default.
    /// </summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>The group within which a FIFO topic or queue keeps the order; null for the others.</summary>
    public string? GroupId { get; init; }

    /// <summary>
    /// What a FIFO topic or queue tells duplicates apart by, for 5 minutes; null for the others, and where duplicates are told
    /// apart by content.
    /// </summary>
    public string? DeduplicationId { get; init; }

    /// <summary>What the limits count: UTF-8 bytes of the text and of the attributes' names, types and values.</summary>
    public int SizeInBytes => Encoding.UTF8.GetByteCount(Body) + Attributes.Sum(
        attribute => Encoding.UTF8.GetByteCount(attribute.Key) + "String".Length + Encoding.UTF8.GetByteCount(attribute.Value));

    /// <summary>The size and the attributes' names.</summary>
    public override string ToString() => $"[message of {SizeInBytes} bytes; attributes: {string.Join(", ", Attributes.Keys)}]";
}
