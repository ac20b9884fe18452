namespace ClaimCheck.Service.Datasets;

/// <summary>Settings below <c>ClaimCheck:Sample</c>. <see cref="SampleDatabase"/> reads them where the
/// sample is in use.</summary>
internal sealed class SampleOptions
{
    public const string Section = "ClaimCheck:Sample";

    /// <summary>How many orders it has.</summary>
    public long? Orders { get; init; }

    /// <summary>The name of the database.</summary>
    public string? Database { get; init; }
}
