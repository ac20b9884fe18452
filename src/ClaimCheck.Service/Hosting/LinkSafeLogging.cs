using Microsoft.Extensions.Logging.Console;

namespace ClaimCheck.Service.Hosting;

/// <summary>
/// Keeps links out of logs. The framework's request log writes whole addresses, and a signed link is one; no setting of an
/// operator's may turn that on again.
/// </summary>
internal static class LinkSafeLogging
{
    // The categories that log the query of a request, or quote the line or header of one that could not be read (a key with a
    // slip in its header among them). The redirect's, that logs where to, is not used at all.
    private static readonly string[] Quoting = ["Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Server.Kestrel.BadRequests"];

    public static WebApplicationBuilder AddLinkSafeLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName ??= ConsoleFormatterNames.Simple);
        builder.Services.Configure<SimpleConsoleFormatterOptions>(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });
        // After all configuration: rules for a named provider go before those for all, so each provider gets its own.
        builder.Services.PostConfigure<LoggerFilterOptions>(filters =>
        {
            foreach (var provider in filters.Rules.Select(rule => rule.ProviderName).Append(null).Distinct().ToList())
            {
                foreach (var category in Quoting)
                    filters.Rules.Add(new(provider, category, LogLevel.Warning, filter: null));
            }
        });
        return builder;
    }
}
