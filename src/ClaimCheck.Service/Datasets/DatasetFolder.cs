namespace ClaimCheck.Service.Datasets;

/// <summary>The folder of the definitions: <c>ClaimCheck:Datasets</c>, or the datasets that are shipped beside the
/// binaries.</summary>
internal sealed class DatasetFolder(IConfiguration configuration)
{
    private readonly string? configured = configuration["ClaimCheck:Datasets"] is { Length: > 0 } path ? path : null;

    public bool IsShipped => configured is null;

    /// <summary>Absolute; a configured one may be relative to the directory that the service was started in.</summary>
    public string Path => System.IO.Path.TrimEndingDirectorySeparator(
        System.IO.Path.GetFullPath(configured ?? System.IO.Path.Combine(AppContext.BaseDirectory, "datasets")));
}
