using ClaimCheck.Adapter.Deliveries;
using ClaimCheck.Adapter.Imports;
using ClaimCheck.Adapter.Locations;
using ClaimCheck.Adapter.Routes;
using ClaimCheck.Adapter.Settings;
using ClaimCheck.Adapter.Tables;
using ClaimCheck.Consumer;
using ClaimCheck.Contracts;

namespace ClaimCheck.Adapter.Hosting;

/// <summary><c>--check</c>: whether what the settings name can be reached and used.</summary>
internal static class Checkup
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(AdapterSettings settings)
    {
        var failures = settings.Routes.Count > 0 ? await DeliveriesAsync(settings) : 0;
        foreach (var route in settings.Imports)
        {
            failures += await TryAsync($"Source of {route.Name}, {route.Options.Source}", () => ImportCheckup.SourceAsync(route));
            failures += await TryAsync($"Endpoint of {route.Name}, {ImportCheckup.HostOf(route)}", () => ImportCheckup.EndpointAsync(route));
        }

        await Console.Out.WriteLineAsync(failures == 0 ? "Everything can be used." : $"{failures} of these can't be used.");
        return failures == 0 ? 0 : Startup.NotReachable;
    }

    private static async Task<int> DeliveriesAsync(AdapterSettings settings)
    {
        var failures = 0;
        using var client = new ClaimCheckClient(new ClaimCheckClientOptions
        {
            BaseAddress = settings.Service,
            ApiKey = settings.ApiKey,
            Consumer = settings.Consumer,
            MaxAttempts = 1,
        });
        await using var destinations = new Destinations(settings);
        var datasets = new Dictionary<string, DatasetInfo>(StringComparer.Ordinal);
        foreach (var dataset in settings.Routes.Select(route => route.Dataset).Distinct(StringComparer.Ordinal))
        {
            failures += await TryAsync($"Dataset {dataset} at {settings.Service.Authority}", async () =>
            {
                var described = await client.GetDatasetAsync(dataset);
                if (!described.Available)
                    return described.Unavailable?.Detail ?? "the service can't export it now";
                datasets[dataset] = described;
                return null;
            });
        }

        foreach (var route in settings.Routes)
        {
            if (datasets.TryGetValue(route.Dataset, out var described))
                failures += await TryAsync($"Request of {route.Name} for {route.Dataset}", () => Task.FromResult(CriteriaCheck.Problem(route, described)));
            if (route.Destination is TableDestination table)
            {
                failures += await TryAsync($"Destination of {route.Name}, {table}", async () =>
                {
                    await TableCheck.CheckAsync(route, client, CancellationToken.None);
                    return null;
                });
            }
            else
            {
                var location = destinations.Of(route);
                failures += await TryAsync($"Destination of {route.Name}, {location.Name}", async () =>
                {
                    await location.CheckAsync(CancellationToken.None);
                    return null;
                });
            }

            if (route.WaitAt is null)
                continue;
            var place = destinations.PlaceOf(route);
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
