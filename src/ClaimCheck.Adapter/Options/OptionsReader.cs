namespace ClaimCheck.Adapter.Options;

/// <summary>Reads the section <c>Adapter</c>, and reports all its errors at once.</summary>
internal static class OptionsReader
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <exception cref="CanNotStartException">A setting is invalid.</exception>
    public static CheckedAdapterOptions Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(AdapterOptions.Section);
        var options = Bind(configuration);
        NameConnections(options, configuration);
        var errors = new OptionsErrors();
        // Files are sent to endpoints of their own.
        var importsAlone = options.Routes.Count > 0 && options.Routes.Values.All(RouteReader.IsImport);
        var service = importsAlone && options.Service is null ? null : ServiceOf(options, errors);
        var key = KeyOf(options, errors);
        if (!importsAlone || options.Consumer is not null)
            CheckConsumer(options, errors);
        CheckKeys(options, errors);
        CheckTimes(options, errors);
        if (options.Routes.Count == 0)
            errors.Add("Adapter:Routes is empty, but must name a route or more: there would be nothing to do.");
        var stateDirectory = Path.GetFullPath(options.StateDirectory ?? ".claimcheck-adapter");
        var (routes, imports) = (new List<Route>(), new List<ImportRoute>());
        foreach (var (name, route) in options.Routes.OrderBy(each => each.Key, StringComparer.Ordinal))
        {
            RouteReader.CheckName(name, errors);
            RouteReader.CheckCallers(name, route, options, errors);
            if (RouteReader.IsImport(route))
            {
                var hasCriteria = section.GetSection($"Routes:{name}:Criteria").Exists();
                if (new ImportReader(name, route, errors)
                    .Read(hasCriteria, stateDirectory, service?.AbsoluteUri, key) is { } import)
                    imports.Add(import);
            }
            else if (RouteReader.Read(name, route, section.GetSection($"Routes:{name}:Criteria"), options, errors) is { } read)
            {
                routes.Add(read);
            }
        }

        ImportReader.CheckSources(imports, errors);
        errors.ThrowIfAny();
        return new()
        {
            ServiceAddress = service,
            ApiKey = key,
            Consumer = options.Consumer ?? "",
            StateDirectory = stateDirectory,
            AllowedLinkHosts = options.AllowedLinkHosts,
            Access = new(options.ApiKeys, options.BehindTls),
            Parallelism = options.Parallelism,
            StateRetention = options.StateRetention,
            LinkLifetime = options.LinkLifetime,
            Polling = options.Polling,
            Retry = options.Retry,
            Routes = routes,
            Imports = imports,
        };
    }

    private static AdapterOptions Bind(IConfiguration configuration)
    {
        var known = new KnownSettings(AdapterOptions.Section);
        known.Add(AdapterOptions.Section, typeof(AdapterOptions));
        if (known.Faults(configuration) is { Count: > 0 } faults)
            throw new CanNotStartException(faults);
        // Criteria have names and types of their own, and are read separately.
        var settings = configuration.GetSection(AdapterOptions.Section).AsEnumerable(makePathsRelative: true)
            .Where(pair => !IsCriterion(pair.Key));
        try
        {
            return new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Get<AdapterOptions>() ?? new();
        }
        catch (InvalidOperationException e)
        {
            throw new CanNotStartException($"A setting of Adapter can't be read: {(e.InnerException ?? e).Message}", e);
        }
    }

    private static void NameConnections(AdapterOptions options, IConfiguration configuration)
    {
        foreach (var destination in options.Routes.Values.Select(route => route.Destination).OfType<DestinationOptions>())
        {
            if (destination.ConnectionString is { Length: > 0 } name && configuration.GetConnectionString(name) is { } found)
                destination.ConnectionString = found;
        }
    }

    private static bool IsCriterion(string path) =>
        path.Split(':') is [var routes, _, var criteria, ..]
        && routes.Equals("Routes", StringComparison.OrdinalIgnoreCase)
        && criteria.Equals("Criteria", StringComparison.OrdinalIgnoreCase);

    private static Uri? ServiceOf(AdapterOptions options, OptionsErrors errors)
    {
        if (!Uri.TryCreate(options.Service, UriKind.Absolute, out var service))
        {
            errors.Add($"Adapter:Service is '{options.Service}', but must be the service's absolute address: "
                + "nothing could be requested.");
            return null;
        }

        return service;
    }

    private static string? KeyOf(AdapterOptions options, OptionsErrors errors)
    {
        if (options.ApiKey is not null && options.ApiKeyFile is not null)
            errors.Add("Adapter:ApiKey and Adapter:ApiKeyFile are both set, but only one can be: it would be "
                + "undefined which key is sent.");
        var key = options.ApiKey;
        if (key is null && options.ApiKeyFile is { } path)
        {
            try
            {
                const UnixFileMode others = UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
                if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & others) != UnixFileMode.None)
                    errors.Add($"Adapter:ApiKeyFile is {path}, which others can read or change, but must be the adapter's "
                        + $"alone: chmod 600 {path}.");
                key = File.ReadAllText(path).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                errors.Add($"Adapter:ApiKeyFile is {path}, but can't be read: {e.Message}");
            }
        }

        // In a development setup the service requires none.
        return string.IsNullOrEmpty(key) ? null : key;
    }

    private static void CheckConsumer(AdapterOptions options, OptionsErrors errors)
    {
        if (options.Consumer is not { Length: > 0 and <= 64 } name
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        {
            errors.Add(
                $"Adapter:Consumer is '{options.Consumer}', but must be up to 64 letters, digits, dots, dashes and underscores: "
                + "receipts are given under this name.");
        }

        foreach (var host in options.AllowedLinkHosts.Where(
            host => string.IsNullOrWhiteSpace(host) || host.Contains('/', StringComparison.Ordinal) || host is "*" or "*."))
            errors.Add($"Adapter:AllowedLinkHosts has '{host}', but an entry must be a host, host:port or *.domain: it would "
                + "match no link, or every one.");
    }

    private static void CheckKeys(AdapterOptions options, OptionsErrors errors)
    {
        foreach (var (name, key) in options.ApiKeys.Where(
            each => each.Value is null || each.Value.Length < AccessRules.ShortestKey))
            errors.Add($"Adapter:ApiKeys:{name} has {key?.Length ?? 0} characters, but must have {AccessRules.ShortestKey} or "
                + "more: shorter keys can be guessed.");
        if (options.ApiKeys.Values.Distinct(StringComparer.Ordinal).Count() < options.ApiKeys.Count)
            errors.Add(
                "Adapter:ApiKeys has the same key under two names, but a key must have one: it would be undefined who calls.");
    }

    private static void CheckTimes(AdapterOptions options, OptionsErrors errors)
    {
        if (options.Parallelism is < 1 or > 64)
            errors.Add($"Adapter:Parallelism is {options.Parallelism}, but must be 1 to 64: nothing would be delivered, "
                + "or everything at once.");
        errors.Range("Adapter:StateRetention", options.StateRetention, TimeSpan.FromSeconds(1), 3650 * Day,
            "a caller could not ask for the outcome of its export");
        errors.Range("Adapter:LinkLifetime", options.LinkLifetime, TimeSpan.FromSeconds(1), 7 * Day,
            "a link would expire at once, or S3 would refuse to sign it");
        var polling = options.Polling;
        errors.Range("Adapter:Polling:Interval", polling.Interval, TimeSpan.FromMilliseconds(50), polling.LongestInterval,
            "the service would be asked all the time");
        errors.Range("Adapter:Polling:LongestInterval", polling.LongestInterval, polling.Interval, Day,
            "a batch would not be noticed for days");
        errors.Range("Adapter:Polling:StatusInterval", polling.StatusInterval, TimeSpan.FromMilliseconds(50), Day,
            "a failed export would be waited for in vain");
        errors.Range("Adapter:Polling:RevocationInterval", polling.RevocationInterval, TimeSpan.FromMilliseconds(50), Day,
            "revoked data would stay for days");
        if (polling.RevocationChecksPerSecond is not (>= 0.01 and <= 1000))
        {
            errors.Add(
                $"Adapter:Polling:RevocationChecksPerSecond is {polling.RevocationChecksPerSecond}, but must be 0.01 to 1000: "
                + "revocations would not be noticed, or the service would be flooded.");
        }

        var retry = options.Retry;
        errors.Range("Adapter:Retry:Delay", retry.Delay, TimeSpan.FromMilliseconds(10), retry.LongestDelay,
            "an unreachable system would be called all the time");
        errors.Range("Adapter:Retry:LongestDelay", retry.LongestDelay, retry.Delay, Day,
            "a recovered system would not be noticed for days");
        errors.Range("Adapter:Retry:GiveUpAfter", retry.GiveUpAfter, TimeSpan.FromSeconds(1), 365 * Day,
            "a consumer system with a short outage would never be notified");
        if (options.Service is not null && Uri.TryCreate(options.Service, UriKind.Absolute, out var service))
            CheckClient(service, options, errors);
    }

    // The client knows its own rules.
    private static void CheckClient(Uri service, AdapterOptions options, OptionsErrors errors)
    {
        try
        {
            using var client = new ClaimCheckClient(new ClaimCheckClientOptions
            {
                BaseAddress = service,
                ApiKey = string.IsNullOrEmpty(options.ApiKey) ? null : options.ApiKey,
            });
        }
        catch (ArgumentException e)
        {
            errors.Add($"Adapter:Service or Adapter:ApiKey can't be used: {e.Message}");
        }
    }
}
