using Quartz;

namespace ClaimCheck.Adapter.Options;

/// <summary>Reads one route, and reports what is wrong with it.</summary>
internal sealed class RouteReader(string name, RouteOptions options, AdapterOptions all, OptionsErrors errors)
{
    private const string Import = "import";
    private static readonly string[] Patterns = ["ar-1", "ar-2", "ar-3", "ar-4"];

    private string Path => $"Adapter:Routes:{name}";

    public static bool IsImport(RouteOptions options) => Import.Equals(options.Pattern, StringComparison.OrdinalIgnoreCase);

    public static void CheckName(string name, OptionsErrors errors)
    {
        if (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            errors.Add($"Adapter:Routes:{name} must be named by up to 64 letters, digits, dashes and underscores: the name is "
                + "used in addresses and folders.");
    }

    public static void CheckCallers(string name, RouteOptions options, AdapterOptions all, OptionsErrors errors)
    {
        foreach (var caller in options.Callers.Where(caller => !all.ApiKeys.ContainsKey(caller)))
            errors.Add($"Adapter:Routes:{name}:Callers names '{caller}', but Adapter:ApiKeys does not have that name: "
                + "nobody could use the route.");
    }

    /// <returns>Null where it is too invalid to be read further.</returns>
    public static Route? Read(
        string name, RouteOptions options, IConfigurationSection criteria, AdapterOptions all, OptionsErrors errors) =>
        new RouteReader(name, options, all, errors).Read(criteria);

    private Route? Read(IConfigurationSection criteria)
    {
        var index = Array.IndexOf(Patterns, options.Pattern?.ToLowerInvariant());
        if (index < 0)
        {
            errors.Add($"{Path}:Pattern is '{options.Pattern}', but must be one of {string.Join(", ", Patterns)}, {Import}: it "
                + "defines how the route works.");
            return null;
        }

        var pattern = (Pattern)(index + 1);
        if (string.IsNullOrWhiteSpace(options.Dataset))
            errors.Add($"{Path}:Dataset is not set, but must name a dataset of the service: nothing could be requested.");
        errors.OneOf($"{Path}:Format", options.Format, "csv", "ndjson");
        errors.OneOf($"{Path}:Compression", options.Compression, "gzip", "none");
        if (options.Import is not null)
            errors.Add($"{Path}:Import is set, but a route of {options.Pattern} does not use it (it exports): leave it out, or "
                + "make it an import route.");
        var cron = CronOf(pattern);
        var events = EventsOf(pattern);
        var (wait, waitAt) = WaitOf(pattern);
        var destination = DestinationOf();
        var notify = NotifyOf();
        return destination is null ? null : new()
        {
            Name = name,
            Pattern = pattern,
            Dataset = options.Dataset ?? "",
            Criteria = CriteriaReader.Read(criteria),
            Format = options.Format,
            Compression = options.Compression,
            Cron = cron,
            Events = events,
            AcceptsAny = options.Accept == "any",
            Wait = wait,
            WaitAt = waitAt,
            Callers = options.Callers,
            Destination = destination,
            Notify = notify,
        };
    }

    private CronExpression? CronOf(Pattern pattern)
    {
        if (pattern is Pattern.OnDemandEvents or Pattern.OnDemandPolling)
        {
            Absent("Cron", options.Cron, "it is asked by consumer systems");
            Absent("TimeZone", options.TimeZone, "it is asked by consumer systems");
            return null;
        }

        if (options.Cron is null)
        {
            // Another system triggers it: by the adapter's own call, or the service directly.
            if (pattern == Pattern.ScheduledPolling)
                errors.Add($"{Path}:Cron is not set, but a route of {options.Pattern} is triggered by it: it would never run.");
            return null;
        }

        if (options.TimeZone is null || !TimeZoneInfo.TryFindSystemTimeZoneById(options.TimeZone, out var zone))
        {
            errors.Add($"{Path}:TimeZone is '{options.TimeZone}', but must be a time zone that this machine knows, such as "
                + "Europe/Berlin or UTC: the route would run at the wrong time.");
            return null;
        }

        CronExpression cron;
        try
        {
            cron = new CronExpression(options.Cron, zone);
        }
        catch (FormatException e)
        {
            errors.Add($"{Path}:Cron is '{options.Cron}', but must be a cron expression with seconds, such as '0 0 2 * * ?': the "
                + $"route would never run. {e.Message}");
            return null;
        }

        if (cron.GetNextValidTimeAfter(TimeProvider.System.GetUtcNow()) is null)
            errors.Add($"{Path}:Cron is '{options.Cron}', which is in the past: the route would never run.");
        return cron;
    }

    private EventSource? EventsOf(Pattern pattern)
    {
        if (pattern is Pattern.ScheduledPolling or Pattern.OnDemandPolling)
        {
            Absent("Events", options.Events, "it looks for its batch itself");
            Absent("QueueUrl", options.QueueUrl, "it looks for its batch itself");
            Absent("Accept", options.Accept, "it does not receive events about others' batches");
            return null;
        }

        errors.OneOf($"{Path}:Accept", options.Accept, "own", "any");
        if (options.Accept is not null && pattern == Pattern.OnDemandEvents)
            errors.Add(
                $"{Path}:Accept is set, but a route of {options.Pattern} delivers only what it was asked for: leave it out.");
        if (options.Cron is null && pattern == Pattern.ScheduledEvents && options.Accept != "any")
        {
            // It still runs when it is triggered.
            if (options.Events is null)
                errors.Add($"{Path}:Events is not set, but must be feed or sqs: the route would never learn about its batch.");
        }

        switch (options.Events)
        {
            case "feed":
                Absent("QueueUrl", options.QueueUrl, "its events come from the feed");
                return new EventSource(null);
            case "sqs" when Uri.TryCreate(options.QueueUrl, UriKind.Absolute, out var url) && url.Scheme is "http" or "https":
                return new EventSource(options.QueueUrl);
            case "sqs":
                errors.Add($"{Path}:QueueUrl is '{options.QueueUrl}', but must be the absolute http or https address of a queue: "
                    + "nothing could be received.");
                return null;
            default:
                errors.Add($"{Path}:Events is '{options.Events}', but must be feed or sqs: the route would never "
                    + "learn about its batch.");
                return null;
        }
    }

    private (WaitKind Kind, LocationOptions? At) WaitOf(Pattern pattern)
    {
        if (pattern is Pattern.ScheduledEvents or Pattern.OnDemandEvents)
        {
            Absent("Wait", options.Wait, "it waits for events");
            if (options.WaitAt is not null)
                errors.Add($"{Path}:WaitAt is set, but a route of {options.Pattern} does not use it (it waits for "
                    + "events): leave it out.");
            return (WaitKind.Status, null);
        }

        if (options.Wait is "folder" or "sftp")
        {
            if (options.WaitAt is null)
            {
                errors.Add($"{Path}:WaitAt is not set, but with Wait = {options.Wait} must name the place where the service's "
                    + "staging is served: there would be nothing to look at.");
                return (WaitKind.Status, null);
            }

            CheckLocation("WaitAt", options.WaitAt, options.Wait);
            return (WaitKind.Path, options.WaitAt);
        }

        if (options.WaitAt is not null)
            errors.Add($"{Path}:WaitAt is set, but Wait is '{options.Wait}': leave it out, or set Wait to folder or sftp.");
        errors.OneOf($"{Path}:Wait", options.Wait, "staging", "status", "folder", "sftp");
        return (options.Wait == "staging" ? WaitKind.Staging : WaitKind.Status, null);
    }

    private Destination? DestinationOf()
    {
        if (options.Destination is not { } destination)
        {
            errors.Add($"{Path}:Destination is not set, but must name the target of the files: they would not be delivered.");
            return null;
        }

        var reader = new DestinationReader($"{Path}:Destination", destination, errors);
        return destination.Kind switch
        {
            "location" => reader.Location(),
            "table" => reader.Table(SharesBatches()),
            _ => reader.Unknown(),
        };
    }

    private bool SharesBatches()
    {
        var others = all.Routes.Where(each => each.Key != name && each.Value.Dataset == options.Dataset)
            .Select(each => each.Value.Accept).ToList();
        return others.Count > 0 && (options.Accept == "any" || others.Contains("any"));
    }

    private NotifyTarget? NotifyOf()
    {
        if (options.Notify is not { } notify)
            return null;
        var isAddress = Uri.TryCreate(notify.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"
            && url.UserInfo.Length == 0;
        if (!isAddress)
            errors.Add($"{Path}:Notify:Url must be an absolute http or https address without a user: nobody could be notified.");
        if (!WebhookSignature.IsSecret(notify.Secret))
            errors.Add($"{Path}:Notify:Secret must be whsec_ and the base64 of 24 to 64 bytes: the consumer system could not "
                + "tell a notice from a forged one.");
        return isAddress && notify.Secret is not null ? new(url!, notify.Secret) : null;
    }

    private void CheckLocation(string field, LocationOptions location, string? kind)
    {
        if (kind is not null && location.Kind != kind)
            errors.Add($"{Path}:{field}:Kind is '{location.Kind}', but Wait is {kind}: it would be undefined where to look.");
        errors.Add(LocationRules.Problems(location).Select(problem => $"{Path}:{field}: {problem}"));
    }

    private void Absent(string field, string? value, string why)
    {
        if (value is not null)
            errors.Add($"{Path}:{field} is set, but a route of {options.Pattern} does not use it ({why}): leave it out.");
    }
}
