using Amazon.Runtime.Internal.Transform;

namespace ClaimCheck.Aws.Wire;

/// <summary>An answer as a whole. (Core's own contexts read element by element; answers here are small, and read in memory already.)</summary>
internal sealed class BodyContext : UnmarshallerContext
{
    public BodyContext(Stream stream, IWebResponseData response)
    {
        WebResponseData = response;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        Body = copy.ToArray();
    }

    public ReadOnlyMemory<byte> Body { get; }

    public override string CurrentPath => "";

    public override int CurrentDepth => 0;

    public override bool IsStartElement => false;

    public override bool IsEndElement => false;

    public override bool IsStartOfDocument => true;
}
