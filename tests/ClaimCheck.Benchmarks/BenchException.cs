namespace ClaimCheck.Benchmarks;

/// <summary>The run can't be carried out; the text says why.</summary>
internal sealed class BenchException(string message) : Exception(message);
