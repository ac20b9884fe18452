namespace ClaimCheck.Aws.Tests;

/// <summary>For tests that change what a whole process shares: its environment and its proxy. No other test
/// runs meanwhile.</summary>
[CollectionDefinition(nameof(TheProcess), DisableParallelization = true)]
public sealed class TheProcess;
