using System.ComponentModel.DataAnnotations;

namespace ClaimCheck.Service.Hosting;

/// <summary>Settings that are read and checked once, before anything starts.</summary>
internal static class CheckedOptions
{
    /// <summary>Registers the settings of a section; one that does not fit stops the start with its own text.</summary>
    public static WebApplicationBuilder AddCheckedOptions<T>(this WebApplicationBuilder builder, string section)
        where T : class, new()
    {
        T options;
        try
        {
            options = builder.Configuration.GetSection(section).Get<T>() ?? new();
        }
        catch (InvalidOperationException e)
        {
            throw new StartupException($"A setting of {section} can't be read: {(e.InnerException ?? e).Message}", e);
        }

        var failures = new List<ValidationResult>();
        if (!Validator.TryValidateObject(options, new(options), failures, validateAllProperties: true))
            throw new StartupException(string.Join(" ", failures.Select(failure => Named(section, failure.ErrorMessage ?? ""))));
        builder.Services.AddSingleton(options);
        return builder;
    }

    // The framework's own checks name the field alone.
    private static string Named(string section, string text) => text.StartsWith(section, StringComparison.Ordinal) ? text : $"{section}: {text}";
}
