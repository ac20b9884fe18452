namespace ClaimCheck.Service.Startup;

/// <summary>Options that are read and checked once, before anything starts; all faults are reported together.</summary>
internal static class CheckedOptions
{
    /// <summary>Registers the options of a section: their name, type and the type's own checks.</summary>
    public static WebApplicationBuilder AddCheckedOptions<T>(this WebApplicationBuilder builder, string section)
        where T : class, new()
    {
        var check = builder.Check();
        check.Known.Add(section, typeof(T));
        T? options = null;
        try
        {
            options = builder.Configuration.GetSection(section).Get<T>() ?? new();
        }
        catch (InvalidOperationException e)
        {
            check.Unreadable.Add($"A setting of {section} can't be read: {(e.InnerException ?? e).Message}");
        }

        var failures = new List<ValidationResult>();
        if (options is not null && !Validator.TryValidateObject(options, new(options), failures, validateAllProperties: true))
            check.Misfits.AddRange(failures.Select(failure => Named(section, failure.ErrorMessage ?? "")));
        builder.Services.AddSingleton(options ?? new());
        return builder;
    }

    /// <summary>Registers the type of options that are read elsewhere.</summary>
    public static WebApplicationBuilder AddKnownSettings<T>(this WebApplicationBuilder builder, string section)
    {
        builder.Check().Known.Add(section, typeof(T));
        return builder;
    }

    /// <summary>The names of all settings.</summary>
    public static IEnumerable<string> SettingNames(this WebApplicationBuilder builder) => builder.Check().Known.All;

    /// <summary>Stops the start where a setting is unknown or invalid. Call it after all features are added.</summary>
    /// <exception cref="StartupException">With a line for each.</exception>
    public static WebApplicationBuilder CheckSettings(this WebApplicationBuilder builder)
    {
        var check = builder.Check();
        var faults = check.Known.Faults(builder.Configuration).Concat(check.Misfits).ToList();
        // What the framework can't read, in its own words, and only where the types did not reveal it.
        if (faults.Count == 0)
            faults = check.Unreadable;
        return faults.Count == 0 ? builder : throw new StartupException(string.Join('\n', faults));
    }

    private static SettingsCheck Check(this WebApplicationBuilder builder)
    {
        if (builder.Services.FirstOrDefault(service => service.ServiceType == typeof(SettingsCheck))
            ?.ImplementationInstance is SettingsCheck there)
            return there;
        var made = new SettingsCheck();
        builder.Services.AddSingleton(made);
        return made;
    }

    // The framework's own checks name the field only.
    private static string Named(string section, string text) =>
        text.StartsWith(section, StringComparison.Ordinal) ? text : $"{section}: {text}";

    private sealed class SettingsCheck
    {
        public KnownSettings Known { get; } = new(ServiceOptions.Section);

        public List<string> Unreadable { get; } = [];

        public List<string> Misfits { get; } = [];
    }
}
