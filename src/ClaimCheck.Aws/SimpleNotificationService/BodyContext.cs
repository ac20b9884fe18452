using Amazon.Runtime.Internal.Transform;

namespace ClaimCheck.Aws.SimpleNotificationService;

/// <summary>An answer as a whole. (Core's own contexts read element by element; answers here are small, and read in memory already.)</summary>
internal sealed class BodyContext : UnmarshallerContext
{
    // Ten messages of 1 MiB, the most that SQS hands over, with each byte of theirs escaped.
    private const int MostBytes = 64 << 20;

    public BodyContext(Stream stream, IWebResponseData response)
    {
        WebResponseData = response;
        using var copy = new MemoryStream();
        var buffer = new byte[64 << 10];
        while (stream.Read(buffer) is > 0 and var read)
        {
            if (copy.Length + read > MostBytes)
                throw new IOException($"The answer is longer than the {MostBytes} bytes that it may have.");
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
