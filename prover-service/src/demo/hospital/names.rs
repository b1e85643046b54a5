//! Word lists: given and family names that are common somewhere, and places that exist nowhere.

/// Where a family comes from and lives.
pub(super) struct Culture {
    pub family: &'static [&'static str],
    pub female: &'static [&'static str],
    pub male: &'static [&'static str],
    pub cities: &'static [&'static str],
    pub streets: &'static [&'static str],
    pub country: &'static str,
    /// `#` stands for a digit, `@` for a letter.
    pub postal_code: &'static str,
}

pub(super) const CULTURES: [Culture; 8] = [
    Culture {
        family: &["Halloran", "Whitcombe", "Ashby", "Fenwick", "Marlowe", "Pryce", "Tolliver"],
        female: &["Eleanor", "Maeve", "Harriet", "Imogen", "Rosalind", "Beth"],
        male: &["Callum", "Edmund", "Rory", "Silas", "Gareth", "Owen"],
        cities: &["Netherwick", "Port Calder", "Ashmere"],
        streets: &["Mill Lane", "Harbour Row", "Larch Avenue"],
        country: "GB",
        postal_code: "@@# #@@",
    },
    Culture {
        family: &["Castaneda", "Villaseñor", "Quiroga", "Echeverri", "Montalvo", "Zaragoza"],
        female: &["Ximena", "Lucía", "Paloma", "Marisol", "Itzel", "Inés"],
        male: &["Joaquín", "Mateo", "Andrés", "Rodrigo", "Emiliano", "Óscar"],
        cities: &["Valle Sereno", "Santa Lumbre", "Río Manso"],
        streets: &["Calle del Olmo", "Avenida Jacaranda", "Paseo Nuevo"],
        country: "MX",
        postal_code: "#####",
    },
    Culture {
        family: &["Adeyemi", "Okonjo", "Balogun", "Nwachukwu", "Ezeani", "Afolabi"],
        female: &["Ngozi", "Folake", "Amara", "Ifeoma", "Temilade", "Zainab"],
        male: &["Chidi", "Babatunde", "Emeka", "Kelechi", "Tunde", "Musa"],
        cities: &["Iloko", "Umuaka Bridge", "Odanla"],
        streets: &["Palm Road", "Market Street", "Iroko Close"],
        country: "NG",
        postal_code: "######",
    },
    Culture {
        family: &["Lindqvist", "Sandström", "Hallberg", "Åkerlund", "Nyström", "Wikander"],
        female: &["Astrid", "Linnea", "Maj", "Ebba", "Sigrid", "Tuva"],
        male: &["Nils", "Gustav", "Axel", "Elof", "Henrik", "Björn"],
        cities: &["Norrvik", "Ekehamn", "Stenbro"],
        streets: &["Björkvägen", "Hamngatan", "Skolgränd"],
        country: "SE",
        postal_code: "### ##",
    },
    Culture {
        family: &["Ramaswamy", "Chatterjee", "Deshpande", "Kulkarni", "Iyengar", "Bhatt"],
        female: &["Ananya", "Kavitha", "Meera", "Shreya", "Lakshmi", "Divya"],
        male: &["Arjun", "Vikram", "Sanjay", "Rohan", "Kiran", "Manish"],
        cities: &["Neelgaon", "Sundarpet", "Vanapuri"],
        streets: &["Temple Road", "Lake View Street", "Gandhi Nagar"],
        country: "IN",
        postal_code: "######",
    },
    Culture {
        family: &["Morikawa", "Hayashida", "Kuwabara", "Shinozaki", "Tachibana", "Oguri"],
        female: &["Haruka", "Aoi", "Chiyo", "Mizuki", "Sayuri", "Rin"],
        male: &["Haruto", "Kenji", "Takumi", "Shun", "Daichi", "Ryo"],
        cities: &["Minamizawa", "Kitahama", "Aokawa"],
        streets: &["Sakura-dori", "Ekimae", "Yamate"],
        country: "JP",
        postal_code: "###-####",
    },
    Culture {
        family: &["Haddad", "Mansour", "Al-Khatib", "Darwish", "Nasser", "Sabbagh"],
        female: &["Layla", "Rania", "Yasmin", "Salma", "Nour", "Hala"],
        male: &["Karim", "Tariq", "Sami", "Ziad", "Walid", "Fadi"],
        cities: &["Ain Zahra", "Wadi Noor", "Beit Salim"],
        streets: &["Olive Street", "Citadel Road", "Garden Street"],
        country: "JO",
        postal_code: "#####",
    },
    Culture {
        family: &["Kowalczyk", "Nowak", "Dvořák", "Horváth", "Novotny", "Petrescu"],
        female: &["Zofia", "Kateřina", "Ilona", "Magda", "Ludmila", "Ioana"],
        male: &["Tomasz", "Ondřej", "László", "Mirek", "Stefan", "Radu"],
        cities: &["Dolny Las", "Kamenný Most", "Zalipa"],
        streets: &["Lipowa", "Nádražní", "Kossuth utca"],
        country: "PL",
        postal_code: "##-###",
    },
];
