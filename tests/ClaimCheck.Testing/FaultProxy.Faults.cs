namespace ClaimCheck.Testing;

/// <summary>A request as it came to the proxy.</summary>
/// <param name="Method">As sent.</param>
/// <param name="Target">Path and query, as sent, byte for byte.</param>
internal sealed record ProxiedRequest(string Method, string Target)
{
    private long answeredBytes;

    /// <summary>What an AWS service of JSON is asked for: <c>AmazonSQS.DeleteMessageBatch</c>; else empty.</summary>
    public string Action { get; init; } = "";

    /// <summary>Bytes of the answer's body that were passed on so far.</summary>
    public long AnsweredBytes => Interlocked.Read(ref answeredBytes);

    public void Answered(int bytes) => Interlocked.Add(ref answeredBytes, bytes);

    public string Path => Target.Split('?', 2)[0];

    public string Query => Target.Split('?', 2) is [_, var query] ? query : "";

    // How S3's calls for uploads look on the wire.
    public bool IsBegin => Method == "POST" && Query.StartsWith("uploads", StringComparison.Ordinal);
    public bool IsPart => Method == "PUT" && Query.Contains("partNumber=", StringComparison.Ordinal);
    public bool IsComplete => Method == "POST" && Query.Contains("uploadId=", StringComparison.Ordinal);
    public bool IsAbort => Method == "DELETE" && Query.Contains("uploadId=", StringComparison.Ordinal);
    public bool IsDeletion => Method == "POST" && Query.StartsWith("delete", StringComparison.Ordinal);

    public override string ToString() => $"{Method} {Path}"; // the query may hold a signature
}

/// <summary>What can happen to a request.</summary>
internal abstract record Fault
{
    /// <summary>The request never gets to the server; this is the answer.</summary>
    public sealed record Answer(int Status, string Body = "", string ContentType = "application/xml") : Fault;

    /// <summary>The server does what it was asked to, but its answer is lost and this one comes.</summary>
    public sealed record AnswerInstead(Answer With) : Fault;

    /// <summary>The request waits for the test before it gets to the server.</summary>
    public sealed record Hold(Task Until) : Fault;

    /// <summary>The request is taken, and nothing ever comes.</summary>
    public sealed record Stall : Fault;

    public abstract record OnRequestBody(long AfterBytes) : Fault;

    public abstract record OnResponseBody(long AfterBytes) : Fault;

    /// <summary>The connection breaks while the request's body is sent.</summary>
    public sealed record CutRequest(long AfterBytes) : OnRequestBody(AfterBytes);

    /// <summary>One byte of the request's body arrives altered.</summary>
    public sealed record CorruptRequest(long AfterBytes) : OnRequestBody(AfterBytes);

    /// <summary>The connection breaks while the answer's body is sent.</summary>
    public sealed record CutResponse(long AfterBytes) : OnResponseBody(AfterBytes);

    /// <summary>The answer's body stops coming, but the connection stays open.</summary>
    public sealed record StallResponse(long AfterBytes) : OnResponseBody(AfterBytes);

    /// <summary>One byte of the answer's body arrives altered.</summary>
    public sealed record CorruptResponse(long AfterBytes) : OnResponseBody(AfterBytes);

    /// <summary>The answer ends early, in good order and without a length.</summary>
    public sealed record TruncateResponse(long AfterBytes) : OnResponseBody(AfterBytes);

    /// <summary>An error as S3 writes it, with any status: also 200, which it answers to a completion that
    /// fails later on.</summary>
    public static Answer S3Error(int status, string code) => new(
        status,
        $"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{code}, as a test asked for.</Message>" +
        "<RequestId>test</RequestId><HostId>test</HostId></Error>");
}

/// <summary>Passes a body on until the fault strikes.</summary>
internal sealed class HarmedStream(Stream inner, Fault? fault, Action<int>? counted = null) : Stream
{
    private long passed;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var strikesAt = fault switch
        {
            Fault.OnRequestBody body => body.AfterBytes,
            Fault.OnResponseBody body => body.AfterBytes,
            _ => long.MaxValue,
        };
        if (passed == strikesAt && fault is not (Fault.CorruptRequest or Fault.CorruptResponse))
        {
            switch (fault)
            {
                case Fault.TruncateResponse:
                    return 0;
                case Fault.StallResponse:
                    await Task.Delay(Timeout.Infinite, cancellationToken);
                    return 0;
                default:
                    throw new IOException("The connection broke, as a test asked for.");
            }
        }

        var some = passed < strikesAt ? buffer[..(int)Math.Min(buffer.Length, strikesAt - passed)] : buffer;
        var read = await inner.ReadAsync(some, cancellationToken);
        if (passed == strikesAt && read > 0)
            buffer.Span[0] ^= 0x01;
        passed += read;
        counted?.Invoke(read);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override void Flush() => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
