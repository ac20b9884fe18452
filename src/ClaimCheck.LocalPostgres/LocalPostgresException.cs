namespace ClaimCheck.LocalPostgres;

/// <summary>The private Postgres can't be started. The text is one clear line for the operator: what is wrong,
/// and what to do.</summary>
public sealed class LocalPostgresException(string message, Exception? inner = null) : Exception(message, inner);
