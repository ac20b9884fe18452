namespace ClaimCheck.Consumer.Downloads;

/// <summary>One try to fetch something failed. Never leaves the library: it is tried again, or becomes a
/// public exception.</summary>
internal class TransferException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The content does not match the manifest and index, though the transfer itself succeeded.</summary>
    public bool IsAltered { get; init; }

    /// <summary>The delay that the server asked for.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>The link does not work: expired, or its batch has ended. The service knows which.</summary>
internal sealed class DeadLinkException(int status) : TransferException($"the link answered {status}");
