namespace ClaimCheck.Import.Sending;

/// <summary>Checks whether an endpoint can be called, without sending it anything.</summary>
internal static class EndpointCheck
{
    /// <returns>What is wrong, or null.</returns>
    /// <exception cref="ImportException">The key can't be read.</exception>
    public static async Task<string?> FaultAsync(EndpointOptions options, CancellationToken cancellationToken)
    {
        using var client = new EndpointClient(
            options, new ImportRetryOptions { Tries = 1 }, EndpointKey.Of(options), TimeProvider.System);
        var isJobs = options.Contract == "bulk-jobs";
        // How an endpoint answers OPTIONS does not matter, but that it answers does.
        var (method, address) = isJobs
            ? (HttpMethod.Get, new Uri(
                $"{client.Address.AbsoluteUri.TrimEnd('/')}/v1/operations/{Uri.EscapeDataString(options.Operation!)}"))
            : (HttpMethod.Options, client.Address);
        var answer = await client.CallAsync(() => new HttpRequestMessage(method, address), cancellationToken);
        return answer.Status switch
        {
            0 or >= 500 or 401 or 403 => answer.FailureText,
            404 when isJobs => $"The service does not have the operation {options.Operation}.",
            >= 300 when isJobs => answer.FailureText,
            _ => null,
        };
    }
}
