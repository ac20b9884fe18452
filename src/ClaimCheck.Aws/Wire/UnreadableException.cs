namespace ClaimCheck.Aws.Wire;

/// <summary>An answer is not of the protocol. The message names what is wrong, and quotes nothing.</summary>
internal sealed class UnreadableException(string message) : Exception(message);
