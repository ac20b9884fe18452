namespace ClaimCheck.Service.Startup;

/// <summary>The service can't start. The text is one clear line for the operator: what is wrong, and what to do.</summary>
internal sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
