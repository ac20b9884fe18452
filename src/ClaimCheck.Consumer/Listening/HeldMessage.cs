using System.Diagnostics.CodeAnalysis;
using ClaimCheck.Aws;

namespace ClaimCheck.Consumer.Listening;

/// <summary>A message that this process has taken and not settled yet.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Without a timer it has nothing to dispose of, and a heartbeat may come while the message is settled.")]
internal sealed class HeldMessage(ReceivedMessage message, long since)
{
    private readonly CancellationTokenSource expired = new();
    private volatile ReceivedMessage newest = message;

    public string MessageId => newest.MessageId;

    /// <summary>The newest one: only that deletes the message, or keeps it hidden.</summary>
    public string ReceiptHandle => newest.ReceiptHandle;

    public int ReceiveCount => newest.ReceiveCount;

    public ReceivedMessage Message => newest;

    /// <summary>A timestamp of when it was received first.</summary>
    public long Since => since;

    /// <summary>Cancelled once it has been held for as long as it may be.</summary>
    public CancellationToken Expired => expired.Token;

    public void Renew(ReceivedMessage again) => newest = again;

    public bool Expire()
    {
        var isFirst = !expired.IsCancellationRequested;
        expired.Cancel();
        return isFirst;
    }
}
