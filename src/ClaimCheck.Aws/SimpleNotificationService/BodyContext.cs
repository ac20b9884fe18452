namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>
/// A whole answer. (Core's own contexts read element by element; answers here are small, and in memory already.)
/// </summary>
internal sealed class BodyContext : UnmarshallerContext
{
    // Ten messages of 1 MiB, the most that SQS returns, with each of their bytes escaped.
    private const int MostBytes = 64 << 20;

    public BodyContext(Stream stream, IWebResponseData response)
    {
        WebResponseData = response;
        using var copy = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (stream.Read(buffer) is > 0 and var read)
        {
            if (copy.Length + read > MostBytes)
                throw new IOException($"The answer is longer than its limit of {MostBytes} bytes.");
            copy.Write(buffer, 0, read);
        }
        Body = copy.ToArray();
    }

    public ReadOnlyMemory<byte> Body { get; }

    public override string CurrentPath => "";

    public override int CurrentDepth => 0;

    public override bool IsStartElement => false;

    public override bool IsEndElement => false;

    public override bool IsStartOfDocument => true;
}
