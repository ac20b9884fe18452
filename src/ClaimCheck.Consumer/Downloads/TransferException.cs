namespace ClaimCheck.Consumer.Downloads;

/// <summary>One try to fetch something failed. Never leaves the library: it is tried again, or becomes a public exception.</summary>
internal class TransferException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What arrived was not what the manifest and index say, though the transfer itself went well.</summary>
    public bool IsAltered { get; init; }

    /// <summary>The pause that the server asked for.</summary>
    public TimeSpan? RetryAfter { get; init; }
}

/// <summary>The link is dead: expired, or its batch has ended. The service knows which.</summary>
internal sealed class DeadLinkException(int status) : TransferException($"the link answered {status}");
