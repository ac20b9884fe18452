namespace ClaimCheck.Consumer.Tests.Staging;

/// <summary>What goes wrong with one answer.</summary>
internal abstract record Fault
{
    /// <summary>The connection is reset after this many bytes of the body; bytes in transit may be lost.</summary>
    public sealed record Cut(int After) : Fault;

    /// <summary>The body ends after this many bytes, as a proxy ends it; what was sent before arrives.</summary>
    public sealed record Ended(int After) : Fault;

    /// <summary>The byte at this place of the object is another one.</summary>
    public sealed record Altered(long At) : Fault;

    /// <summary>The object is this many bytes shorter, and the answer says so.</summary>
    public sealed record Truncated(int By) : Fault;

    /// <summary>The server answers this status and nothing else.</summary>
    public sealed record Status(int Code) : Fault;

    /// <summary>The server sends this many bytes and then nothing, until the client disconnects.</summary>
    public sealed record Stalled(int After) : Fault;

    /// <summary>The server ignores the Range header.</summary>
    public sealed record Whole : Fault;

    /// <summary>The object has another ETag now.</summary>
    public sealed record Replaced : Fault;

    /// <summary>The server waits, and then answers this status and nothing else.</summary>
    public sealed record Held(Task Until, int Code) : Fault;

    /// <summary>The server sends the client elsewhere.</summary>
    public sealed record Redirect(string To) : Fault;
}
