namespace ClaimCheck.Adapter.Options;

/// <summary>The adapter's options, checked.</summary>
internal sealed record CheckedAdapterOptions
{
    /// <summary>Null where there are only imports, and none of them needs it.</summary>
    public required Uri? ServiceAddress { get; init; }

    public Uri Service =>
        ServiceAddress ?? throw new InvalidOperationException("Adapter:Service is not set, and no route needs it.");

    public string? ApiKey { get; init; }

    public required string Consumer { get; init; }

    public required string StateDirectory { get; init; }

    public required IReadOnlyList<string> AllowedLinkHosts { get; init; }

    public required AccessRules Access { get; init; }

    public required int Parallelism { get; init; }

    public required TimeSpan StateRetention { get; init; }

    public required TimeSpan LinkLifetime { get; init; }

    public required PollingOptions Polling { get; init; }

    public required RetryOptions Retry { get; init; }

    public required IReadOnlyList<Route> Routes { get; init; }

    public required IReadOnlyList<ImportRoute> Imports { get; init; }

    public Route? Find(string name) => Routes.FirstOrDefault(route => route.Name == name);

    /// <summary>Service and consumer only: the rest contains keys.</summary>
    public override string ToString() => $"{Consumer} of {ServiceAddress?.Authority ?? "no service"}";
}
