using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace ClaimCheck.Web;

/// <summary>
/// Keeps links and keys out of logs. The framework's request log writes whole addresses, and a signed link is one; no setting of
/// an operator may turn that on again.
/// </summary>
public static class LinkSafeLogging
{
    // The categories that log the query of a request or its headers, or quote an unreadable line or header (such as a key in a
    // malformed header).
    private static readonly string[] Quoting =
    [
        "Microsoft.AspNetCore.Hosting.Diagnostics",
        "Microsoft.AspNetCore.HttpLogging.HttpLoggingMiddleware",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.AspNetCore.Server.Kestrel.BadRequests",
        "Microsoft.AspNetCore.Server.Kestrel.Connections",
        "Microsoft.AspNetCore.Server.Kestrel.Http2",
        "Microsoft.AspNetCore.Server.Kestrel.Http3",
    ];

    /// <summary>One line per message with its time in UTC, without categories that would quote a link.</summary>
    public static ILoggingBuilder AddLinkSafeConsole(this ILoggingBuilder logging)
    {
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        logging.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName ??= ConsoleFormatterNames.Simple);
        logging.Services.Configure<SimpleConsoleFormatterOptions>(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });
        // After all configuration. Rules for a named provider go before those for all, so each provider gets its own. Among
        // the rules that match, the longest category wins, and the last of equal ones: a pattern's two halves may overlap, so
        // that no pattern which matches the category is longer than its name twice with a star between.
        logging.Services.PostConfigure<LoggerFilterOptions>(filters =>
        {
            foreach (var provider in filters.Rules.Select(rule => rule.ProviderName).Append(null).Distinct().ToList())
            {
                foreach (var category in Quoting)
                    filters.Rules.Add(new(provider, $"{category}*{category}", LogLevel.Warning, filter: null));
            }
        });
        return logging;
    }
}
