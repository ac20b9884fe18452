namespace ClaimCheck.Adapter.Operations;

/// <summary><c>--check</c>: whether what the options name can be reached and used.</summary>
internal static class Checkup
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(CheckedAdapterOptions options)
    {
        var failures = options.Routes.Count > 0 ? await DeliveriesAsync(options) : 0;
        foreach (var route in options.Imports)
        {
            failures += await TryAsync($"Source of {route.Name}, {route.Options.Source}", () => ImportCheckup.SourceAsync(route));
            failures += await TryAsync(
                $"Endpoint of {route.Name}, {ImportCheckup.HostOf(route)}", () => ImportCheckup.EndpointAsync(route));
        }

        await Console.Out.WriteLineAsync(failures == 0 ? "Everything can be used." : $"{failures} of these can't be used.");
        return failures == 0 ? 0 : CommandLine.NotReachable;
    }

    private static async Task<int> DeliveriesAsync(CheckedAdapterOptions options)
    {
        var failures = 0;
        using var client = ServiceApi.ClientOf(options);
        await using var locations = new RouteLocations(options.Routes);
        var datasets = new Dictionary<string, DatasetInfo>(StringComparer.Ordinal);
        foreach (var dataset in options.Routes.Select(route => route.Dataset).Distinct(StringComparer.Ordinal))
        {
            failures += await TryAsync($"Dataset {dataset} at {options.Service.Authority}", async () =>
            {
                var described = await client.GetDatasetAsync(dataset);
                if (!described.Available)
                    return described.Unavailable?.Detail ?? "the service can't export it now";
                datasets[dataset] = described;
                return null;
            });
        }

        foreach (var route in options.Routes)
        {
            if (datasets.TryGetValue(route.Dataset, out var described))
                failures += await TryAsync($"Request of {route.Name} for {route.Dataset}", () =>
                    Task.FromResult(CriteriaCheck.Problem(route, described)));
            if (route.Destination is TableDestination table)
            {
                failures += await TryAsync($"Destination of {route.Name}, {table}", async () =>
                {
                    await TableCheck.CheckAsync(table, route.Dataset, client, CancellationToken.None);
                    return null;
                });
            }
            else
            {
                var location = locations.Of(route);
                failures += await TryAsync($"Destination of {route.Name}, {location.Name}", async () =>
                {
                    await location.CheckAsync(CancellationToken.None);
                    return null;
                });
            }

            if (route.WaitAt is null)
                continue;
            var place = locations.PlaceOf(route);
            failures += await TryAsync($"Staging as {route.Name} sees it, {place.Name}", async () =>
            {
                await place.ListAsync("batches", CancellationToken.None);
                return null;
            });
        }

        return failures;
    }

    private static async Task<int> TryAsync(string what, Func<Task<string?>> check)
    {
        string? failure;
        try
        {
            failure = await check();
        }
        catch (ClaimCheckException e)
        {
            failure = e.Message;
        }

        await Console.Out.WriteLineAsync(failure is null ? $"ok      {what}" : $"FAILED  {what}: {failure}");
        return failure is null ? 0 : 1;
    }
}
