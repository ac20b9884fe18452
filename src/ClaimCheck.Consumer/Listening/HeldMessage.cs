using Amazon.SQS.Model;

namespace ClaimCheck.Consumer.Listening;

/// <summary>A message that this process has received and not settled yet.</summary>
internal sealed class HeldMessage(Message message, long since)
{
    private volatile Message newest = message;

    public string MessageId => newest.MessageId;

    /// <summary>The newest receipt handle: only that one deletes the message, or keeps it hidden.</summary>
    public string ReceiptHandle => newest.ReceiptHandle;

    public int ReceiveCount => ListenedQueue.ReceiveCount(newest);

    public Message Received => newest;

    /// <summary>The timestamp of the first receive.</summary>
    public long Since => since;

    public void Renew(Message again) => newest = again;
}
